/* subject.c - what stands for $ in a text: the address or name asked, in rbldnsd's form. Every TXT answer
 * needs one, so nothing here goes through printf(). */
#include "index/index.h"

enum { PLAIN, BACKSLASH, DECIMAL };

static const uint8_t escape[256] = {
	[0 ... ' '] = DECIMAL,
	[0x7f ... 0xff] = DECIMAL,
	['"'] = BACKSLASH,
	['.'] = BACKSLASH,
	[';'] = BACKSLASH,
	['\\'] = BACKSLASH,
	['@'] = BACKSLASH,
	['$'] = BACKSLASH,
};

/* Presentation form as rbldnsd prints names. */
static size_t name_text(const uint8_t *name, char *const dst)
{
	char *p = dst;

	for (; name[0]; name += name[0] + 1) {
		if (p != dst)
			*p++ = '.';
		for (unsigned i = 1; i <= name[0]; i++) {
			uint8_t c = name[i];

			if (escape[c] != PLAIN)
				*p++ = '\\';
			if (escape[c] == DECIMAL) {
				*p++ = (char)('0' + c / 100);
				*p++ = (char)('0' + c / 10 % 10);
				c = '0' + c % 10;
			}
			*p++ = (char)c;
		}
	}
	return (size_t)(p - dst);
}

static char *put_octet(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static size_t ip4_text(uint32_t address, char *const dst)
{
	char *p = put_octet(dst, address >> 24);

	for (int shift = 16; shift >= 0; shift -= 8) {
		*p++ = '.';
		p = put_octet(p, address >> shift & 255);
	}
	return (size_t)(p - dst);
}

static char *put_word(char *p, unsigned v)
{
	static const char hex[] = "0123456789abcdef";

	if (v >= 0x1000)
		*p++ = hex[v >> 12];
	if (v >= 0x100)
		*p++ = hex[v >> 8 & 15];
	if (v >= 0x10)
		*p++ = hex[v >> 4 & 15];
	*p++ = hex[v & 15];
	return p;
}

/* RFC 5952 without its dotted forms: the longest run of at least two zero words, the first of equals,
 * becomes "::". */
static size_t ip6_text(const uint8_t *bytes, char *const dst)
{
	unsigned words[8], start = 8, most = 1, run = 0;
	char *p = dst;

	for (unsigned i = 0; i < 8; i++) {
		words[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
		run = words[i] ? 0 : run + 1;
		if (run > most) {
			most = run;
			start = i + 1 - run;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == start) {
			*p++ = ':';
			*p++ = ':';
			i += most - 1;
			continue;
		}
		if (i && i != start + most)
			*p++ = ':';
		p = put_word(p, words[i]);
	}
	return (size_t)(p - dst);
}

size_t index_subject(const struct set_meta *meta, const struct asked *q, const struct hit *hit,
	char dst[INDEX_SUBJECT_MAX])
{
	const uint8_t *name = q->name;

	if (meta->kind == SET_NAME) {
		for (unsigned skip = q->labels; skip > hit->len; skip--)
			name += name[0] + 1;
		return name_text(name, dst);
	}
	return hit->scope == 6 ? ip6_text(q->ip6, dst) : ip4_text(q->ip4, dst);
}
