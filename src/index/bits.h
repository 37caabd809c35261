/* bits.h - columns of numbers as wide as they need to be: packed bits, low ones first, in any byte order
 * of the machine. Readers may touch up to BITS_PAD bytes behind the last number. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

/* ---- short rows of bytes; both read up to BITS_PAD bytes behind them ---- */

#if defined(__SSE2__)
static inline unsigned bits_byte_sum(const uint8_t *p, unsigned n)
{
	static const uint8_t kept[32] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	const __m128i zero = _mm_setzero_si128();
	__m128i sum = zero, last;

	for (; n > 16; n -= 16, p += 16)
		sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_loadu_si128((const void *)p), zero));
	last = _mm_and_si128(
		_mm_loadu_si128((const void *)p), _mm_loadu_si128((const void *)(kept + 16 - n)));
	sum = _mm_add_epi64(sum, _mm_sad_epu8(last, zero));
	return (unsigned)_mm_cvtsi128_si32(_mm_add_epi64(sum, _mm_srli_si128(sum, 8)));
}

/* Where the byte stands among n > 0; n or more: nowhere. */
static inline unsigned bits_byte_find(const uint8_t *p, unsigned n, uint8_t byte)
{
	const __m128i wanted = _mm_set1_epi8((char)byte);

	for (unsigned i = 0; i < n; i += 16) {
		int same = _mm_movemask_epi8(
			_mm_cmpeq_epi8(_mm_loadu_si128((const void *)(p + i)), wanted));

		if (same)
			return i + (unsigned)__builtin_ctz((unsigned)same);
	}
	return n;
}
#else
static inline unsigned bits_byte_sum(const uint8_t *p, unsigned n)
{
	unsigned sum = 0;

	while (n--)
		sum += *p++;
	return sum;
}

static inline unsigned bits_byte_find(const uint8_t *p, unsigned n, uint8_t byte)
{
	const uint8_t *at = memchr(p, byte, n);

	return at ? (unsigned)(at - p) : n;
}
#endif
