/* address.c - addresses, ranges and names in the forms rbldnsd takes, which are wider than RFC 4291's
 * and RFC 1035's. */
#include "dataset/parts.h"

static bool next_is(const struct slice *s, char c)
{
	return s->len && s->ptr[0] == c;
}

static bool next_is_digit(const struct slice *s)
{
	return s->len && ascii_is_digit(s->ptr[0]);
}

/* Digits up to max; leading zeros pass. */
static bool number(struct slice *s, uint32_t max, uint32_t *ret)
{
	uint32_t v = 0;

	if (!next_is_digit(s))
		return false;
	for (; next_is_digit(s); *s = slice_skip(*s, 1)) {
		v = v * 10 + (uint32_t)(s->ptr[0] - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return true;
}

int address_prefix4(struct slice *s, uint32_t *ret)
{
	uint32_t octet;

	*ret = 0;
	for (int bits = 8;; bits += 8) {
		if (!number(s, 255, &octet))
			return ADDRESS_BAD;
		*ret |= octet << (32 - bits);
		if (bits == 32 || !next_is(s, '.'))
			return bits;
		*s = slice_skip(*s, 1);
	}
}

bool address_host4(struct slice *s, uint32_t *ret)
{
	uint32_t a;
	int bits = address_prefix4(s, &a);

	if (bits == 8)
		a >>= 24;
	else if (bits == 16)
		a = (a & 0xff000000u) | (a >> 16 & 255);
	else if (bits == 24)
		a = (a & 0xffff0000u) | (a >> 8 & 255);
	*ret = a;
	return bits != ADDRESS_BAD;
}

/* What follows an address: "/bits". A lone first octet needs it. */
static int length_behind(struct slice *s, int given, uint32_t max)
{
	uint32_t bits;

	if (!next_is(s, '/'))
		return given == (max == 32 ? 8 : 16) ? ADDRESS_BAD : given;
	*s = slice_skip(*s, 1);
	return number(s, max, &bits) ? (int)bits : ADDRESS_BAD;
}

int address_cidr4(struct slice *s, uint32_t *ret)
{
	int bits = address_prefix4(s, ret);

	return bits == ADDRESS_BAD ? bits : length_behind(s, bits, 32);
}

int address_range4(struct slice *s, uint32_t *ret_first, uint32_t *ret_last)
{
	int bits = address_prefix4(s, ret_first), last_bits;

	if (bits == ADDRESS_BAD)
		return ADDRESS_BAD;
	if (!next_is(s, '-')) {
		bits = length_behind(s, bits, 32);
		if (bits != ADDRESS_BAD)
			*ret_last = *ret_first | ~mask4((unsigned)bits);
		return bits;
	}
	*s = slice_skip(*s, 1);
	last_bits = address_prefix4(s, ret_last);
	if (last_bits == ADDRESS_BAD)
		return ADDRESS_BAD;
	if (last_bits
		== 8) /* 127.0.0.1-2: the last octet given, in the place of the first's last */
		*ret_last = *ret_last >> (bits - 8) | (*ret_first & mask4((unsigned)bits - 8));
	else if (last_bits != bits)
		return ADDRESS_BAD;
	*ret_last |= ~mask4((unsigned)bits);
	return *ret_first > *ret_last ? ADDRESS_BAD : 32;
}

/* One word of an IPv6 address: as many hexadecimal digits as stay below 65536. False when there is
 * none, or when it grows too large (*s then stands at the digit too many). */
static bool word6(struct slice *s, uint32_t *ret)
{
	const char *p = s->ptr, *end = p + s->len;
	uint32_t v = 0;

	for (int digit; p < end && (digit = ascii_hex(*p)) >= 0; p++) {
		v = v << 4 | (uint32_t)digit;
		if (v > 0xffff)
			break;
	}
	*ret = v;
	end = s->ptr;
	*s = slice_skip(*s, (size_t)(p - end));
	return p > end && v <= 0xffff;
}

int address_prefix6(struct slice *s, uint8_t ret[16])
{
	unsigned n = 0; /* bytes so far */
	int zeros_at = -1, bits = ADDRESS_BAD;
	uint32_t word;

	memset(ret, 0, 16);
	if (slice_starts(*s, SLICE("::"))) {
		zeros_at = 0;
		*s = slice_skip(*s, 2);
	}
	while (word6(s, &word)) {
		ret[n++] = (uint8_t)(word >> 8);
		ret[n++] = (uint8_t)word;
		if (!next_is(s, ':') || n == 16) {
			bits = (int)n * 8;
			break;
		}
		*s = slice_skip(*s, 1);
		if (zeros_at < 0 && next_is(s, ':')) {
			zeros_at = (int)n;
			*s = slice_skip(*s, 1);
		}
	}
	if (zeros_at < 0)
		return bits;
	if (n == 16)
		return ADDRESS_BAD; /* no room for what :: stands for */
	memmove(ret + zeros_at + (16 - n), ret + zeros_at, n - (unsigned)zeros_at);
	memset(ret + zeros_at, 0, 16 - n);
	return 128;
}

int address_cidr6(struct slice *s, uint8_t ret[16])
{
	int bits = address_prefix6(s, ret);

	return bits == ADDRESS_BAD ? bits : length_behind(s, bits, 128);
}

/* The character behind a backslash: one to three decimal digits, or any other itself. */
static bool escaped(struct slice *s, uint8_t *ret)
{
	uint32_t v = 0;
	int digits = 0;

	if (!next_is_digit(s)) {
		*ret = (uint8_t)s->ptr[0];
		*s = slice_skip(*s, 1);
		return true;
	}
	for (; digits < 3 && next_is_digit(s); digits++) {
		v = v * 10 + (uint32_t)(s->ptr[0] - '0');
		*s = slice_skip(*s, 1);
	}
	*ret = (uint8_t)v;
	return v <= 255;
}

bool name_read(struct slice text, struct domain *ret)
{
	uint8_t wire[DOMAIN_WIRE_MAX], labels = 0;
	size_t label_at = 0, n = 1; /* the label's length byte; next free byte */

	while (text.len) {
		uint8_t c = (uint8_t)text.ptr[0];

		text = slice_skip(text, 1);
		if (c == '.') {
			if (n - label_at == 1)
				continue; /* empty labels are passed over */
			if (n >= DOMAIN_WIRE_MAX)
				return false;
			wire[label_at] = (uint8_t)(n - label_at - 1);
			labels++;
			label_at = n++;
			continue;
		}
		if (c == '\\') {
			if (!text.len)
				break;
			if (!escaped(&text, &c))
				return false;
		}
		if (n >= DOMAIN_WIRE_MAX - 1 || n - label_at > 63)
			return false;
		wire[n++] = (uint8_t)ascii_lower((char)c);
	}
	if (n - label_at > 1) {
		wire[label_at] = (uint8_t)(n - label_at - 1);
		labels++;
		n++;
	}
	wire[n - 1] = 0;
	memcpy(ret->wire, wire, n); /* of 255: millions of names are read */
	ret->labels = labels;
	ret->len = (uint8_t)n;
	return true;
}
