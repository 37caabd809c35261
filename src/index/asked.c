/* asked.c - what a name below a zone asks about: "4.3.2.1", 32 nibbles, or a name. Read for every question
 * that a server gets, so in words instead of bytes where that saves something. */
#include "index/asked.h"

static uint64_t load_le64(const uint8_t *p)
{
	return asked_load32(p) | (uint64_t)asked_load32(p + 4) << 32;
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
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

bool asked_nibbles(struct asked *q, const uint8_t *name)
{
	q->is_ip6 = ip6_of_labels(name, q->ip6);
	if (q->is_ip6)
		see_ip4(q);
	return q->is_ip6;
}

struct asked asked_of(const uint8_t *name, size_t name_len, unsigned labels)
{
	struct asked q = {.name = name, .name_len = (uint8_t)name_len, .labels = (uint8_t)labels};
	uint8_t padded[17 + 4] = {0};

	if (labels == 32 && name_len == ASKED_NIBBLES_SIZE + 1) {
		asked_nibbles(&q, name);
	} else if (labels == 4 && name_len <= 17) {
		memcpy(padded, name, name_len);
		q.is_ip4 = asked_octets(padded, sizeof padded, &q.ip4) == name_len - 1;
	}
	return q;
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
