/* radix.h - sorting in place by the bits of a key, highest first: what a sort by comparing spends on
 * comparing, this does not. Defines a function for one type of item; equal keys end up in the order that
 * `less` gives them, so less() should tell any two items apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIX_FEW 24 /* items sorted by insertion */
#define RADIX_PARTS 256

/* So many bits that parts come out small, but not so many that most would be empty. */
static inline unsigned radix_digit(size_t n, unsigned used)
{
	unsigned bits = 63 - (unsigned)__builtin_clzll(n), left = 64 - used % 64;

	bits = bits < 8 ? 4 : 8;
	return bits < left ? bits : left;
}

/* static void name(type *a, size_t n, unsigned used, const void *ctx): sorts items whose keys' first `used`
 * bits are the same. key(item, i): the i-th of the `words` 64-bit words of a key. */
#define RADIX_SORT(name, type, key, words, less)                                                   \
	static void name##_insert(type *a, size_t n, const void *ctx)                              \
	{                                                                                          \
		for (size_t i = 1; i < n; i++) {                                                   \
			type item = a[i];                                                          \
			size_t at = i;                                                             \
                                                                                                   \
			for (; at && less(&item, &a[at - 1], ctx); at--)                           \
				a[at] = a[at - 1];                                                 \
			a[at] = item;                                                              \
		}                                                                                  \
	}                                                                                          \
	/* Those of the same key: they are few unless somebody means it. */                        \
	static void name##_heap(type *a, size_t n, const void *ctx)                                \
	{                                                                                          \
		for (size_t end = n, top = n / 2; end > 1;) {                                      \
			size_t at, child;                                                          \
			type item;                                                                 \
                                                                                                   \
			if (top) {                                                                 \
				item = a[--top];                                                   \
			} else {                                                                   \
				item = a[--end];                                                   \
				a[end] = a[0];                                                     \
			}                                                                          \
			for (at = top; (child = 2 * at + 1) < end; at = child) {                   \
				if (child + 1 < end && less(&a[child], &a[child + 1], ctx))        \
					child++;                                                   \
				if (!less(&item, &a[child], ctx))                                  \
					break;                                                     \
				a[at] = a[child];                                                  \
			}                                                                          \
			a[at] = item;                                                              \
		}                                                                                  \
	}                                                                                          \
	/* Swaps each item to where those of its digit go; ret_sizes: of the parts. */             \
	static void name##_part(                                                                   \
		type *a, size_t n, unsigned used, unsigned bits, size_t ret_sizes[RADIX_PARTS])    \
	{                                                                                          \
		const unsigned word = used / 64, shift = 64 - used % 64 - bits;                    \
		const size_t mask = ((size_t)1 << bits) - 1;                                       \
		size_t at[RADIX_PARTS], end[RADIX_PARTS], sum = 0;                                 \
                                                                                                   \
		for (size_t d = 0; d <= mask; d++)                                                 \
			ret_sizes[d] = 0;                                                          \
		for (size_t i = 0; i < n; i++)                                                     \
			ret_sizes[key(&a[i], word) >> shift & mask]++;                             \
		for (size_t d = 0; d <= mask; d++) {                                               \
			at[d] = sum;                                                               \
			end[d] = sum += ret_sizes[d];                                              \
		}                                                                                  \
		for (size_t d = 0; d <= mask; d++) {                                               \
			while (at[d] < end[d]) {                                                   \
				type item = a[at[d]], swap;                                        \
				size_t to;                                                         \
                                                                                                   \
				while ((to = key(&item, word) >> shift & mask) != d) {             \
					swap = a[at[to]];                                          \
					a[at[to]++] = item;                                        \
					item = swap;                                               \
				}                                                                  \
				a[at[d]++] = item;                                                 \
			}                                                                          \
		}                                                                                  \
	}                                                                                          \
	static void name(type *a, size_t n, unsigned used, const void *ctx)                        \
	{                                                                                          \
		size_t sizes[RADIX_PARTS];                                                         \
		unsigned bits;                                                                     \
                                                                                                   \
		if (n <= RADIX_FEW) {                                                              \
			name##_insert(a, n, ctx);                                                  \
			return;                                                                    \
		}                                                                                  \
		if (used >= 64 * (words)) {                                                        \
			name##_heap(a, n, ctx);                                                    \
			return;                                                                    \
		}                                                                                  \
		bits = radix_digit(n, used);                                                       \
		name##_part(a, n, used, bits, sizes);                                              \
		for (size_t d = 0; d < (size_t)1 << bits; a += sizes[d++])                         \
			name(a, sizes[d], used + bits, ctx);                                       \
	}
