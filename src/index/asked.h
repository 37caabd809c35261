/* asked.h - what a name below a zone asks about: an address or a name. A part of index.h. */
#pragma once

#include "base/bytes16.h"
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
#define ASKED_BEFORE 3	     /* and in front of it */
#define ASKED_NIBBLES_SIZE 64

/* Four labels of one to three digits, each up to 255 (leading zeros pass): their bytes, which may be more than
 * the name has; 0 when there are none. No branch depends on how many digits there are: that would be guessed
 * wrong half of the time. */
static inline size_t asked_octets(const uint8_t *name, uint32_t *ret)
{
	typedef uint16_t words16 __attribute__((vector_size(16)));
	typedef uint64_t halves16 __attribute__((vector_size(16)));
	typedef uint32_t quads16 __attribute__((vector_size(16)));
	/* By length, of the four bytes that end with a label: which are its digits, and what makes them
	 * numbers. None is no digit. */
	static const struct {
		uint32_t kept, zeros;
	} of_length[4] = {{0, 0x80808080}, {0xff000000, 0x30000000}, {0xffff0000, 0x30300000},
		{0xffffff00, 0x30303000}};
	/* Of 16 bits each: hundreds stand in the odd byte of the first, tens and ones in the second. */
	static const halves16 odd = {0x0001006400010064, 0x0001006400010064};
	static const halves16 even = {0x000a0000000a0000, 0x000a0000000a0000};
	const uint8_t *p = name;
	uint64_t halves[2];
	quads16 digits;
	words16 sums;
	size_t all = 0;

	if ((uint8_t)(p[1] - '0') > 9) /* most names are seen here to be none */
		return 0;
	for (unsigned i = 0; i < 4; i++) {
		size_t len = p[0];
		uint32_t word;

		all |= len;
		len &= 3;
		memcpy(&word, p + len - 3, sizeof word);
		word = (le32toh(word) & of_length[len].kept) ^ of_length[len].zeros;
		halves[i / 2] = i % 2 ? halves[i / 2] | (uint64_t)word << 32 : word;
		p += len + 1;
	}
	digits = (quads16)(halves16){halves[0], halves[1]};
	sums = ((words16)digits >> 8) * (words16)odd + ((words16)digits & 255) * (words16)even;
	/* A label's sum in the low half; what is no digit sets a bit that no sum has. */
	digits = (((quads16)sums + ((quads16)sums >> 16)) & 0xffff)
		 | (((quads16)((bytes16)digits + 0x76) | digits) & 0x80808080);
	memcpy(halves, &digits, sizeof halves);
	if (((halves[0] | halves[1]) & UINT64_C(0xffffff00ffffff00)) | all >> 2)
		return 0;
	halves[0] |= halves[1] << 16;
	*ret = (uint32_t)(halves[0] | halves[0] >> 24);
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
