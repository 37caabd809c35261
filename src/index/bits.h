/* bits.h - columns of numbers as wide as they need to be: packed bits, low ones first, in any byte order
 * of the machine. Readers may touch up to BITS_PAD bytes behind the last number. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BITS_PAD 16

static inline uint64_t bits_load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

static inline uint64_t bits_mask(unsigned width)
{
	return width ? UINT64_MAX >> (64 - width) : 0;
}

/* The number of `width` bits, at most 57, that begins at bit `at`. */
static inline uint64_t bits_get(const uint8_t *p, uint64_t at, unsigned width)
{
	return bits_load(p + (at >> 3)) >> (at & 7) & bits_mask(width);
}

/* Of at most 64 bits. */
static inline uint64_t bits_get_wide(const uint8_t *p, uint64_t at, unsigned width)
{
	unsigned shift = at & 7;

	p += at >> 3;
	return (bits_load(p) >> shift | (uint64_t)p[8] << 1 << (63 - shift)) & bits_mask(width);
}

/* Sets bits that were zero; v must fit. width: at most 64. */
static inline void bits_put(uint8_t *p, uint64_t at, unsigned width, uint64_t v)
{
	uint64_t word;
	unsigned shift = at & 7;

	p += at >> 3;
	word = htole64(bits_load(p) | v << shift);
	memcpy(p, &word, 8);
	if (shift + width > 64)
		p[8] |= (uint8_t)(v >> (64 - shift));
}

/* Bits of a column that holds numbers up to max. */
static inline uint8_t bits_of(uint64_t max)
{
	return max ? (uint8_t)(64 - __builtin_clzll(max)) : 0;
}

/* SWAR, because not every x86-64 has an instruction for it. */
static inline unsigned bits_count(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned)(v * 0x0101010101010101 >> 56);
}

/* The sum of n bytes; reads up to 7 more. */
static inline unsigned bits_byte_sum(const uint8_t *p, unsigned n)
{
	const uint64_t even = 0x00ff00ff00ff00ff;
	unsigned sum = 0;

	for (;; p += 8, n -= 8) {
		uint64_t v = bits_load(p);

		if (n < 8)
			v &= bits_mask(8 * n);
		v = (v & even) + (v >> 8 & even);
		sum += (unsigned)(v * 0x0001000100010001 >> 48);
		if (n <= 8)
			return sum;
	}
}
