/* asked.c - what a name below a zone asks about: "4.3.2.1", 32 nibbles, or a name. Read for every question
 * that a server gets, so in words instead of bytes where that saves something. */
#include "index/asked.h"

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#define EVEN(a, b)                                                                                 \
	__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(a, b)                                                                                  \
	__builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)

/* 16 labels of one hexadecimal digit: their digits. What is no such label sets bits of *wrong. */
static inline bytes16 digits_of(const uint8_t *labels, bytes16 *wrong)
{
	bytes16 a = load16(labels), b = load16(labels + 16), c = ODD(a, b);
	bytes16 digit = c - '0', letter = (c | 0x20) - 'a';
	bytes16 is_digit = (bytes16)(digit <= 9), is_letter = (bytes16)(letter <= 5);

	*wrong |= (EVEN(a, b) ^ 1) | ~(is_digit | is_letter);
	return (digit & is_digit) | ((letter + 10) & is_letter);
}

/* 32 labels, the last digit of the address first. */
static bool ip6_of_labels(const uint8_t *name, uint8_t ret[16])
{
	bytes16 wrong = {0}, first = digits_of(name, &wrong), last = digits_of(name + 32, &wrong);
	uint64_t halves[2], none[2];

	memcpy(none, &wrong, sizeof none);
	if (none[0] | none[1])
		return false;
	first = EVEN(first, last) | ODD(first, last) << 4;
	memcpy(halves, &first, sizeof halves);
	for (int i = 0; i < 2; i++)
		halves[i] = __builtin_bswap64(halves[i]);
	memcpy(ret, &halves[1], 8);
	memcpy(ret + 8, &halves[0], 8);
	return true;
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
	uint8_t padded[ASKED_BEFORE + ASKED_FRONT_READS + 4] = {0};

	if (labels == 32 && name_len == ASKED_NIBBLES_SIZE + 1) {
		asked_nibbles(&q, name);
	} else if (labels == 4 && name_len <= 17) {
		memcpy(padded + ASKED_BEFORE, name, name_len);
		q.is_ip4 = asked_octets(padded + ASKED_BEFORE, &q.ip4) == name_len - 1;
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
