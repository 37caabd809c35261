/* bench_make.c - lists as blocklists are, in rbldnsd's form, and questions for them: half of them for what is
 * listed, three of four for A, the rest for TXT. The same seed gives the same bytes. */
#include "dnsbench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOT16 20000 /* IPv4: networks /16 that hold the crowded /24s */
#define HOT24 200000
#define HOT32 2000 /* IPv6: networks /32 that hold the crowded /48s */
#define HOT48 20000
#define SECTIONS 5 /* of a combined list */
#define NAME_SIZE 256

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint32_t bound)
{
	return (uint32_t)((next() >> 32) * bound >> 32);
}

/* ---- what is listed: an entry is a number, which is never 0 ---- */

/* Unicast space without 10/8 and 127/8. */
static uint32_t anywhere(void)
{
	for (;;) {
		uint32_t x = (uint32_t)next(), first = x >> 24;

		if (first >= 1 && first <= 223 && first != 10 && first != 127)
			return x;
	}
}

static uint32_t hot24[HOT24];
static uint64_t hot48[HOT48];

static void find_hot_places(void)
{
	static uint32_t hot16[HOT16], hot32[HOT32];

	for (size_t i = 0; i < HOT16; i++)
		hot16[i] = anywhere() & 0xffff0000u;
	for (size_t i = 0; i < HOT24; i++)
		hot24[i] = hot16[below(HOT16)] | below(256) << 8;
	for (size_t i = 0; i < HOT32; i++)
		hot32[i] = 0x20010000 + below(0x0e000000);
	for (size_t i = 0; i < HOT48; i++)
		hot48[i] = (uint64_t)hot32[below(HOT32)] << 32 | (uint64_t)below(65536) << 16;
}

static uint64_t draw_ip4(void)
{
	return below(10) < 6 ? hot24[below(HOT24)] | below(256) : anywhere();
}

/* Length in the upper half. Most are /24s and short runs. */
static uint64_t draw_cidr(void)
{
	static const uint8_t lens[] = {31, 30, 29, 29, 28, 28, 27, 27, 26, 26, 25, 25, 24, 24, 24,
		24, 24, 24, 24, 24, 23, 23, 22, 22, 21, 21, 20, 20, 19, 18};
	unsigned len = below(200) ? lens[below(sizeof lens)] : 12 + below(6);

	return (uint64_t)len << 32 | (anywhere() & ~(UINT32_MAX >> len));
}

/* The upper half of an address. */
static uint64_t draw_ip6(void)
{
	if (below(10) < 7)
		return hot48[below(HOT48)] | below(65536);
	return (hot48[below(HOT48)] & ~(uint64_t)UINT32_MAX) | (uint32_t)next();
}

static uint64_t draw_domain(void)
{
	return next() | 1;
}

static void print_ip4(FILE *f, uint64_t x, size_t i)
{
	fprintf(f, "%u.%u.%u.%u\n", (uint32_t)x >> 24, (uint32_t)x >> 16 & 255,
		(uint32_t)x >> 8 & 255, (uint32_t)x & 255);
}

static void print_ip4_value(FILE *f, uint64_t x, size_t i)
{
	fprintf(f, "%u.%u.%u.%u :%zu:case %08zx, see https://bl.example/q?$\n", (uint32_t)x >> 24,
		(uint32_t)x >> 16 & 255, (uint32_t)x >> 8 & 255, (uint32_t)x & 255, 2 + i % 9,
		i * 2654435761u & 0xffffffff);
}

static void print_cidr(FILE *f, uint64_t x, size_t i)
{
	if (i % 50 == 49 && x >> 32 <= 24) /* one address of it is not listed */
		fprintf(f, "!%u.%u.%u.77\n", (uint32_t)x >> 24, (uint32_t)x >> 16 & 255,
			(uint32_t)x >> 8 & 255);
	fprintf(f, "%u.%u.%u.%u/%u", (uint32_t)x >> 24, (uint32_t)x >> 16 & 255,
		(uint32_t)x >> 8 & 255, (uint32_t)x & 255, (unsigned)(x >> 32));
	fprintf(f, i % 10 ? "\n" : " :%zu:\n", 2 + i % 9);
}

static void print_ip6(FILE *f, uint64_t x, size_t i)
{
	fprintf(f, "%x:%x:%x:%x::/64\n", (unsigned)(x >> 48), (unsigned)(x >> 32 & 0xffff),
		(unsigned)(x >> 16 & 0xffff), (unsigned)(x & 0xffff));
}

/* Syllables, a top-level domain, sometimes a label more: all taken from the number's bits. */
static void domain_text(uint64_t x, char *dst)
{
	static const char consonants[] = "bcdfghjklmnprstv", vowels[] = "aeiouyae";
	static const char *const tops[] = {"com", "com", "com", "com", "com", "com", "net", "org",
		"xyz", "top", "shop", "ru", "info", "co.uk", "de", "click"};
	unsigned syllables = 2 + (x >> 1 & 3), labels = 1 + ((x >> 3 & 7) == 0);
	uint64_t bits = x * 0x9e3779b97f4a7c15 ^ x >> 32;

	for (unsigned k = 0; k < labels; k++) {
		for (unsigned i = 0; i < syllables; i++) {
			bits = bits * 6364136223846793005u + 1442695040888963407u;
			*dst++ = consonants[bits >> 60];
			*dst++ = vowels[bits >> 57 & 7];
		}
		*dst++ = '.';
	}
	memcpy(dst, tops[x >> 6 & 15], strlen(tops[x >> 6 & 15]) + 1);
}

static bool is_wildcard(uint64_t x)
{
	return (x >> 10) % 10 < 6;
}

static void print_domain(FILE *f, uint64_t x, size_t i)
{
	char text[64];

	domain_text(x, text);
	fprintf(f, "%s%s\n", is_wildcard(x) ? "." : "", text);
}

/* ---- what is asked: the name below the zone as text ---- */

static size_t ask_ip4(uint64_t x, char *dst)
{
	return (size_t)snprintf(dst, NAME_SIZE, "%u.%u.%u.%u", (uint32_t)x & 255,
		(uint32_t)x >> 8 & 255, (uint32_t)x >> 16 & 255, (uint32_t)x >> 24);
}

static size_t ask_cidr(uint64_t x, char *dst)
{
	return ask_ip4((uint32_t)x | ((uint32_t)next() & UINT32_MAX >> (x >> 32)), dst);
}

static size_t ask_ip6(uint64_t x, char *dst)
{
	uint64_t low = next();

	for (unsigned i = 0; i < 32; i++) {
		dst[2 * i] = "0123456789abcdef"[(i < 16 ? low >> (4 * i) : x >> (4 * i - 64)) & 15];
		dst[2 * i + 1] = '.';
	}
	dst[63] = '\0';
	return 63;
}

static size_t ask_domain(uint64_t x, char *dst)
{
	char *at = dst;

	if (is_wildcard(x) && below(2))
		at += snprintf(at, NAME_SIZE, "%s.", below(2) ? "www" : "mail");
	domain_text(x, at);
	return strlen(dst);
}

static const struct kind {
	const char *name, *directive; /* of each section, when the list is a combined one */
	uint64_t (*draw)(void);
	void (*print)(FILE *f, uint64_t x, size_t i);
	size_t (*ask)(uint64_t x, char *dst);
} kinds[] = {
	{"ip4", NULL, draw_ip4, print_ip4, ask_ip4},
	{"ip4-values", NULL, draw_ip4, print_ip4_value, ask_ip4},
	{"cidr", NULL, draw_cidr, print_cidr, ask_cidr},
	{"ip6", NULL, draw_ip6, print_ip6, ask_ip6},
	{"domain", NULL, draw_domain, print_domain, ask_domain},
	{"combined", "$DATASET ip4set:list%u @\n", draw_ip4, print_ip4, ask_ip4},
};

/* ---- files ---- */

/* The entries so far: open addressing, 0 is free. */
struct seen {
	uint64_t *slots;
	size_t size;
};

static uint64_t *seen_slot(const struct seen *s, uint64_t x)
{
	size_t i = (x * 0x9e3779b97f4a7c15) >> 20;

	while (s->slots[i & (s->size - 1)] && s->slots[i & (s->size - 1)] != x)
		i++;
	return &s->slots[i & (s->size - 1)];
}

static size_t put_name(uint8_t *p, const char *text)
{
	uint8_t *begin = p;

	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchr(text, '.');
		end = end ? end : text + strlen(text);
		*p = (uint8_t)(end - text);
		memcpy(p + 1, text, *p);
		p += *p + 1;
	}
	return (size_t)(p - begin);
}

/* As it goes over the wire; no recursion desired, as to an authority. */
static void write_question(FILE *f, const char *name, const char *zone, unsigned type)
{
	uint8_t p[2 + 512] = {0}, *q = p + 2;
	size_t n = 12;

	q[5] = 1;
	n += put_name(q + n, name);
	n += put_name(q + n, zone) + 1;
	q[n + 1] = (uint8_t)type;
	q[n + 3] = 1;
	n += 4;
	p[0] = (uint8_t)n;
	p[1] = (uint8_t)(n >> 8);
	if (fwrite(p, 1, n + 2, f) != n + 2)
		fail("writing questions");
}

static void write_list(const char *path, const struct kind *kind, const uint64_t *list, size_t n)
{
	static const char value[] = ":127.0.0.2:Listed in bl.example, see https://bl.example/q?$\n";
	FILE *f = fopen(path, "w");

	if (!f)
		fail(path);
	setvbuf(f, NULL, _IOFBF, 1 << 20);
	fprintf(f, "$SOA 3600 ns1.bl.example hostmaster.bl.example 1 600 300 1w 300\n"
		   "$NS 3600 ns1.bl.example ns2.bl.example\n$TTL 900\n");
	if (!kind->directive)
		fputs(value, f);
	for (size_t i = 0; i < n; i++) {
		if (kind->directive && i % (n / SECTIONS + 1) == 0) {
			fprintf(f, kind->directive, (unsigned)(i / (n / SECTIONS + 1)));
			fputs(value, f);
		}
		kind->print(f, list[i], i);
	}
	if (fclose(f) != 0)
		fail(path);
}

static void write_questions(const char *path, const struct kind *kind, const struct seen *seen,
	const uint64_t *list, size_t n, size_t questions, const char *zone)
{
	FILE *f = fopen(path, "wb");
	char name[NAME_SIZE];
	uint64_t x;

	if (!f)
		fail(path);
	for (size_t i = 0; i < questions; i++) {
		if (below(2)) {
			x = list[below((uint32_t)n)];
		} else {
			do
				x = kind->draw();
			while (*seen_slot(seen, x));
		}
		kind->ask(x, name);
		write_question(f, name, zone, below(4) ? 1 : 16);
	}
	if (fclose(f) != 0)
		fail(path);
}

int make_main(int argc, char **argv)
{
	const struct kind *kind = NULL;
	struct seen seen = {.size = 1};
	size_t n, count = 0;
	uint64_t *list;

	for (size_t i = 0; argc == 8 && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			kind = &kinds[i];
	if (!kind)
		return 2;
	n = strtoul(argv[2], NULL, 10);
	state = strtoull(argv[4], NULL, 10);
	while (seen.size < n * 2)
		seen.size *= 2;
	seen.slots = calloc(seen.size, sizeof *seen.slots);
	list = malloc(n * sizeof *list);
	if (!n || !seen.slots || !list)
		fail("memory");
	find_hot_places();
	while (count < n) {
		uint64_t x = kind->draw(), *slot = seen_slot(&seen, x);

		if (!*slot)
			*slot = list[count++] = x;
	}
	write_list(argv[6], kind, list, n);
	write_questions(argv[7], kind, &seen, list, n, strtoul(argv[3], NULL, 10), argv[5]);
	free(seen.slots);
	free(list);
	return 0;
}
