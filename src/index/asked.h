/* asked.h - what a name below a zone asks about: an address or a name. A part of index.h. */
#pragma once

#include "base/ip.h"

#include <endian.h>

/* What a name below a zone asks about. */
struct asked {
	const uint8_t *name;	  /* borrowed: wire form in lower case, the root label at its end */
	uint8_t name_len, labels; /* name_len with the root label; labels without */
	bool is_ip4, is_ip6;
	bool is_mapped; /* ::ffff:a.b.c.d: both, but IPv6 only to those that hold no IPv4 */
	uint32_t ip4;	/* host order */
	uint8_t ip6[16];
};

/* Reads "4.3.2.1" (leading zeros pass, as with rbldnsd) and 32 nibbles of any case. ::ffff:a.b.c.d and
 * 2002:aabb:ccdd:: (6to4) are both families. `name` as above; it must be valid. */
struct asked asked_of(const uint8_t *name, size_t name_len, unsigned labels);
struct asked asked_ip(const struct ip *ip); /* for those who do not come from DNS; name is "" */

/* ---- for names that nobody has looked at yet, of any case ---- */

#define ASKED_FRONT_READS 16 /* bytes there must be, whatever the name's length */
#define ASKED_NIBBLES_SIZE 64

/* Four labels of one to three digits, each up to 255 (leading zeros pass): their bytes, which may be more than
 * the name has; 0 when there are none. No branch depends on how many digits there are: that would be guessed
 * wrong half of the time. */
static inline size_t asked_octets(const uint8_t *name, uint32_t *ret)
{
	const uint8_t *p = name;
	uint64_t pairs[2], no_digit, wide;

	/* Of each label, in 32 bits: hundreds, tens and ones in the upper three bytes, zero where there is none. */
	for (unsigned i = 0; i < 4; i++) {
		uint32_t word, step = p[0] + 1u; /* 2 to 4: shifted by 16, 8 or none */

		if (step - 2 > 2)
			return 0;
		memcpy(&word, p, sizeof word);
		word = ((le32toh(word) ^ 0x30303000) & 0xffffff00) << (24 * step & 31);
		pairs[i / 2] = i % 2 ? pairs[i / 2] | (uint64_t)word << 32 : word;
		p += step;
	}
	no_digit = pairs[0] | pairs[1];
	no_digit |= (pairs[0] + UINT64_C(0x7676760076767600))
		    | (pairs[1] + UINT64_C(0x7676760076767600));
	if (no_digit & UINT64_C(0x8080800080808000))
		return 0;
	/* Summed up in 16 bits. */
	for (unsigned i = 0; i < 2; i++)
		pairs[i] = ((pairs[i] >> 8 & UINT64_C(0xff000000ff)) * 10
				   + (pairs[i] >> 16 & UINT64_C(0xff000000ff)))
				   * 10
			   + (pairs[i] >> 24 & UINT64_C(0xff000000ff));
	wide = pairs[0] | pairs[1] << 16;
	if (wide & UINT64_C(0xff00ff00ff00ff00))
		return 0;
	*ret = (uint32_t)(wide | wide >> 24);
	return (size_t)(p - name);
}

/* The name begins with 32 labels of one nibble, at least ASKED_NIBBLES_SIZE bytes: fills the addresses of q
 * and is true, or only the latter is not. */
bool asked_nibbles(struct asked *q, const uint8_t *name);

/* The address that a longer name of `len` bytes begins with, nothing of which is checked yet: returns the
 * bytes of its labels, less than len, and *ret is as of asked_of() for these and a root label behind them;
 * 0: none. */
static inline size_t asked_front(const uint8_t *name, size_t len, struct asked *ret)
{
	size_t read;

	ret->name = name;
	ret->is_ip4 = ret->is_ip6 = ret->is_mapped = false;
	ret->ip4 = 0;
	/* Nibbles first: four of them look like an IPv4 address. */
	if (name[0] == 1 && len > ASKED_NIBBLES_SIZE && asked_nibbles(ret, name)) {
		ret->name_len = ASKED_NIBBLES_SIZE + 1;
		ret->labels = 32;
		return ASKED_NIBBLES_SIZE;
	}
	read = asked_octets(name, &ret->ip4);
	if (read >= len)
		read = 0;
	ret->is_ip4 = read != 0;
	ret->name_len = (uint8_t)(read + 1);
	ret->labels = 4;
	return read;
}
