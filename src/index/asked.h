/* asked.h - what a name below a zone asks about: an address or a name. A part of index.h. */
#pragma once

#include "base/ip.h"

/* What a name below a zone asks about. */
struct asked {
	const uint8_t *name;	  /* borrowed: wire form in lower case, the root label at its end */
	uint8_t name_len, labels; /* name_len with the root label; labels without */
	bool is_ip4, is_ip6;
	bool is_mapped; /* ::ffff:a.b.c.d: both, but IPv6 only to those that hold no IPv4 */
	uint32_t ip4;	/* host order */
	uint8_t ip6[16];
};

/* Reads "4.3.2.1" (leading zeros pass, as with rbldnsd) and 32 nibbles. ::ffff:a.b.c.d and
 * 2002:aabb:ccdd:: (6to4) are both families. `name` as above; it must be valid. */
struct asked asked_of(const uint8_t *name, size_t name_len, unsigned labels);
struct asked asked_ip(const struct ip *ip); /* for those who do not come from DNS; name is "" */

/* ---- for names that nobody has looked at yet ---- */

static inline uint32_t asked_load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Four labels of one to three digits, each up to 255 (leading zeros pass), that end before len: their bytes,
 * 0 when there are none. No branch depends on how many digits there are: that would be guessed wrong half
 * of the time. */
static inline size_t asked_octets(const uint8_t *name, size_t len, uint32_t *ret)
{
	const uint8_t *p = name, *last = name + len - 5;
	uint32_t address = 0, no_digit = 0, over = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t word, size, digits;

		if (p > last)
			return 0;
		word = asked_load32(p);
		size = p[0];
		if (size - 1 > 2)
			return 0;
		/* Hundreds, tens and ones in the upper three bytes, zero where there is none. */
		digits = ((word ^ 0x30303000) & 0xffffff00) << ((24 - 8 * size) & 31);
		no_digit |= digits | (digits + 0x76767600);
		over |= 0x00020505 - __builtin_bswap32(digits);
		/* Each digit times its weight, summed up in the fourth byte. */
		address = address >> 8 | ((digits * UINT64_C(0x640a01)) & 0xff000000);
		p += size + 1;
	}
	if ((no_digit & 0x80808000) | (over & 0x80000000))
		return 0;
	*ret = address;
	return (size_t)(p - name);
}

#define ASKED_NIBBLES_SIZE 64

/* The name begins with 32 labels of one nibble, at least ASKED_NIBBLES_SIZE bytes: fills the addresses of q
 * and is true, or only the latter is not. */
bool asked_nibbles(struct asked *q, const uint8_t *name);

/* The address that a longer name of `len` bytes begins with, nothing of which is checked yet: returns the
 * bytes of its labels, and *ret is as of asked_of() for these and a root label behind them; 0: none. */
static inline size_t asked_front(const uint8_t *name, size_t len, struct asked *ret)
{
	size_t read;

	ret->name = name;
	ret->is_ip4 = ret->is_ip6 = ret->is_mapped = false;
	ret->ip4 = 0;
	/* Nibbles first: four of them look like an IPv4 address. */
	if (len > ASKED_NIBBLES_SIZE && name[0] == 1 && asked_nibbles(ret, name)) {
		ret->name_len = ASKED_NIBBLES_SIZE + 1;
		ret->labels = 32;
		return ASKED_NIBBLES_SIZE;
	}
	read = len > 8 ? asked_octets(name, len, &ret->ip4) : 0;
	ret->is_ip4 = read != 0;
	ret->name_len = (uint8_t)(read + 1);
	ret->labels = 4;
	return read;
}
