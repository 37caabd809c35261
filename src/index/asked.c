/* asked.c - what a name below a zone asks about: "4.3.2.1", 32 nibbles, or a name. Read for every question
 * that a server gets, so in words instead of bytes where that saves something. */
#include "index/index.h"

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t load_le64(const uint8_t *p)
{
	return load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Four labels of one to three digits, each up to 255 (leading zeros pass), in exactly len bytes. No
 * branch depends on how many digits there are: that would be guessed wrong half of the time. */
static bool ip4_of_labels(const uint8_t *name, size_t len, uint32_t *ret)
{
	uint64_t bytes, behind; /* what is not read yet, the next one lowest */
	uint32_t address = 0, wrong = 0;
	size_t read = 0;

	if (len < 8 || len > 16)
		return false;
	bytes = load_le64(name);
	behind = len > 8 ? load_le64(name + len - 8) >> (8 * (16 - len)) : 0;
	for (unsigned i = 0; i < 4; i++) {
		uint32_t size = bytes & 255, digits, value;

		if (size - 1 > 2)
			return false;
		/* Hundreds, tens and ones in the upper three bytes, zero where there is none. */
		digits = (((uint32_t)bytes ^ 0x30303000) >> 8) << (8 * (4 - size));
		wrong |= (digits | (digits + 0x76767676)) & 0x80808080;
		value = (digits >> 8 & 255) * 100 + (digits >> 16 & 255) * 10 + (digits >> 24);
		wrong |= value & ~255u;
		address |= value << (8 * i);
		size++;
		read += size;
		bytes = bytes >> (8 * size) | behind << (64 - 8 * size);
		behind >>= 8 * size;
	}
	if (read != len || wrong)
		return false;
	*ret = address;
	return true;
}

#define LANES(x) ((uint64_t)(x)*0x0001000100010001)

/* 32 labels of one hexadecimal digit in lower case, the last digit of the address first; a word holds
 * four of them. */
static bool ip6_of_labels(const uint8_t *name, uint8_t ret[16])
{
	uint64_t wrong = 0;

	for (int i = 14; i >= 0; i -= 2, name += 8) {
		uint64_t word = load_le64(name), c = word >> 8 & LANES(255);
		uint64_t letter = c >> 6 & LANES(1); /* 'a' to 'f' have this bit, '0' to '9' not */
		uint64_t digit = (c & LANES(15)) + letter * 9;

		wrong |= (word & LANES(255)) ^ LANES(1);
		wrong |= (c >> 4 & LANES(15)) ^ (LANES(3) + letter * 3);
		wrong |= ((digit + LANES(6)) >> 4 & LANES(1)) ^ letter; /* ten and more, or less */
		wrong |= digit & LANES(0xf0);
		digit |= digit >> 12;
		digit |= digit >> 24;
		ret[i] = (uint8_t)(digit >> 8);
		ret[i + 1] = (uint8_t)digit;
	}
	return wrong == 0;
}

/* The IPv4 address inside an IPv6 one. */
static void see_ip4(struct asked *q)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (q->ip6[0] == 0x20 && q->ip6[1] == 0x02) { /* 6to4, RFC 3056 */
		q->ip4 = load_be32(q->ip6 + 2);
		q->is_ip4 = true;
	} else if (memcmp(q->ip6, mapped, sizeof mapped) == 0) {
		q->ip4 = load_be32(q->ip6 + 12);
		q->is_ip4 = q->is_mapped = true;
	}
}

static void see_ip6(struct asked *q)
{
	q->is_ip6 = ip6_of_labels(q->name, q->ip6);
	if (q->is_ip6)
		see_ip4(q);
}

struct asked asked_of(const uint8_t *name, size_t name_len, unsigned labels)
{
	struct asked q = {.name = name, .name_len = (uint8_t)name_len, .labels = (uint8_t)labels};

	if (labels == 4)
		q.is_ip4 = ip4_of_labels(name, name_len - 1, &q.ip4);
	else if (labels == 32 && name_len == 65)
		see_ip6(&q);
	return q;
}

bool asked_read(const uint8_t *name, size_t name_len, struct asked *ret)
{
	size_t at = 0, labels = 0;

	ret->name = name;
	ret->name_len = (uint8_t)name_len;
	ret->is_ip6 = ret->is_mapped = false;
	ret->ip4 = 0;
	ret->is_ip4 = ip4_of_labels(name, name_len - 1, &ret->ip4);
	ret->labels = 4;
	if (ret->is_ip4)
		return true;
	if (name_len == 65) {
		see_ip6(ret);
		ret->labels = 32;
		if (ret->is_ip6)
			return true;
	}
	while (at < name_len - 1) {
		if (name[at] - 1u > 62)
			return false;
		at += name[at] + 1u;
		labels++;
	}
	ret->labels = (uint8_t)labels;
	return at == name_len - 1;
}

struct asked asked_ip(const struct ip *ip)
{
	struct asked q = {.name = (const uint8_t *)"", .name_len = 1};

	if (ip->family == 4) {
		q.is_ip4 = true;
		q.ip4 = ip4_value(ip);
	} else if (ip->family == 6) {
		q.is_ip6 = true;
		memcpy(q.ip6, ip->bytes, sizeof q.ip6);
		see_ip4(&q);
	}
	return q;
}
