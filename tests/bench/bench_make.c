/* bench_make.c - a list of IPv4 addresses as blocklists hold them (most of them crowded in few networks)
 * and questions for it: half of them listed, three of four for A, the rest for TXT. */
#include "dnsbench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOT16 20000 /* networks /16 that hold the crowded /24s */
#define HOT24 200000

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

/* Unicast space without 10/8 and 127/8. */
static uint32_t anywhere(void)
{
	for (;;) {
		uint32_t x = (uint32_t)next(), first = x >> 24;

		if (first >= 1 && first <= 223 && first != 10 && first != 127)
			return x;
	}
}

/* The addresses so far: open addressing, 0 is free (0.0.0.0 is never drawn). */
struct seen {
	uint32_t *slots;
	size_t size;
};

static uint32_t *seen_slot(const struct seen *s, uint32_t x)
{
	size_t i = x * (size_t)0x9e3779b97f4a7c15 >> 20;

	while (s->slots[i & (s->size - 1)] && s->slots[i & (s->size - 1)] != x)
		i++;
	return &s->slots[i & (s->size - 1)];
}

static uint32_t crowded(const uint32_t *hot24)
{
	return hot24[below(HOT24)] | below(256);
}

static size_t put_label(uint8_t *p, const char *text, size_t len)
{
	p[0] = (uint8_t)len;
	memcpy(p + 1, text, len);
	return len + 1;
}

/* One question, as it goes over the wire; no recursion desired, as to an authority. */
static void write_question(FILE *f, uint32_t x, const char *zone, unsigned type)
{
	uint8_t p[2 + 512] = {0}, *q = p + 2;
	size_t n = 12;
	char octet[4];

	q[5] = 1;
	for (int i = 0; i < 4; i++)
		n += put_label(q + n, octet,
			(size_t)snprintf(octet, sizeof octet, "%u", x >> (8 * i) & 255));
	for (const char *end; *zone; zone = *end ? end + 1 : end) {
		end = strchr(zone, '.');
		end = end ? end : zone + strlen(zone);
		n += put_label(q + n, zone, (size_t)(end - zone));
	}
	n++;
	q[n + 1] = (uint8_t)type;
	q[n + 3] = 1;
	n += 4;
	p[0] = (uint8_t)n;
	p[1] = (uint8_t)(n >> 8);
	if (fwrite(p, 1, n + 2, f) != n + 2)
		fail("writing questions");
}

static void write_list(const char *path, const uint32_t *list, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f)
		fail(path);
	setvbuf(f, NULL, _IOFBF, 1 << 20);
	fprintf(f, "$SOA 3600 ns1.bl.example hostmaster.bl.example 1 600 300 1w 300\n"
		   "$NS 3600 ns1.bl.example ns2.bl.example\n$TTL 900\n"
		   ":127.0.0.2:Listed in bl.example, see https://bl.example/q?$\n");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%u.%u.%u.%u\n", list[i] >> 24, list[i] >> 16 & 255, list[i] >> 8 & 255,
			list[i] & 255);
	if (fclose(f) != 0)
		fail(path);
}

int make_main(int argc, char **argv)
{
	static uint32_t hot16[HOT16], hot24[HOT24];
	size_t n, questions, count = 0;
	struct seen seen = {.size = 1};
	uint32_t *list, x;
	FILE *f;

	if (argc != 7)
		return 2;
	n = strtoul(argv[1], NULL, 10);
	questions = strtoul(argv[2], NULL, 10);
	state = strtoull(argv[3], NULL, 10);
	while (seen.size < n * 2)
		seen.size *= 2;
	seen.slots = calloc(seen.size, sizeof *seen.slots);
	list = malloc(n * sizeof *list);
	if (!n || !seen.slots || !list)
		fail("memory");
	for (size_t i = 0; i < HOT16; i++)
		hot16[i] = anywhere() & 0xffff0000u;
	for (size_t i = 0; i < HOT24; i++)
		hot24[i] = hot16[below(HOT16)] | below(256) << 8;
	while (count < n) {
		uint32_t *slot;

		x = below(10) < 6 ? crowded(hot24) : anywhere();
		slot = seen_slot(&seen, x);
		if (*slot)
			continue;
		*slot = list[count++] = x;
	}
	write_list(argv[5], list, n);
	f = fopen(argv[6], "wb");
	if (!f)
		fail(argv[6]);
	for (size_t i = 0; i < questions; i++) {
		if (below(2)) {
			x = list[below((uint32_t)n)];
		} else {
			do
				x = below(2) ? crowded(hot24) : anywhere();
			while (*seen_slot(&seen, x));
		}
		write_question(f, x, argv[4], below(4) ? 1 : 16);
	}
	if (fclose(f) != 0)
		fail(argv[6]);
	free(seen.slots);
	free(list);
	return 0;
}
