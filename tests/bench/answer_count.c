/* answer_count.c - calls answer() so that callgrind can count its instructions: CALLS times for each kind of
 * question, count_next() in between. tests/bench/answer-instructions runs it. */
#include "dns/query.h"
#include "dnsd/answer/answer.h"
#include "index/builder.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS 1000
#define NOW_S 1000000
#define ENTRIES 200000
#define NETWORKS 2000 /* of 65536 addresses each, that the entries lie in */

void count_next(void);
__attribute__((noinline)) void count_next(void)
{
	__asm__ volatile("");
}

static uint32_t listed[ENTRIES];

/* As anyone calls it who does not know it: callgrind looks for it by name. */
static size_t (*volatile answer_one)(const struct served *s, const struct answer_from *from,
	struct slice message, uint8_t *out, struct answer_note *ret_note) = answer;

static uint32_t scatter(uint32_t i)
{
	uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return (uint32_t)(z >> 29);
}

static struct domain name_of(const char *text)
{
	struct domain d;

	if (!domain_parse(slice_str(text), &d, NULL))
		abort();
	return d;
}

static struct set_meta meta_of(enum set_kind kind)
{
	struct set_meta m = meta_plain(kind, SET_FIRST, 900);

	m.has_soa = true;
	m.soa = (struct set_soa){3600, 1, 600, 300, 604800, 300, name_of("ns1.bl.example"),
		name_of("hostmaster.bl.example")};
	return m;
}

/* Set 0: IPv4 and IPv6; 1: names; 2 to 6: five more lists, of which 2 holds all that 0 does. */
static void fill(struct builder *b)
{
	struct set_meta m = meta_of(SET_IP);
	struct builder_set *s = builder_set_new(b, SLICE("ip"), &m);
	uint32_t v = builder_value(
		s, 0x7f000002, SLICE("Listed in bl.example, see https://bl.example/q?$"));

	for (uint32_t i = 0; i < ENTRIES; i++) {
		listed[i] =
			(scatter(i % NETWORKS) & 0x7fff) << 16 | (scatter(i) & 0xffff) | 0x40000000;
		builder_add_prefix(s, &(struct prefix){ip4_of(listed[i]), 32}, v, 0);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		struct prefix p = {{6, {0x20, 0x01}}, 64};
		uint32_t low = scatter(i);
		memcpy(p.ip.bytes + 4, &low, 4);
		builder_add_prefix(s, &p, v, 0);
	}
	m = meta_of(SET_NAME);
	s = builder_set_new(b, SLICE("names"), &m);
	v = builder_value(s, 0x7f000002, SLICE("Listed in bl.example, see https://bl.example/q?$"));
	for (uint32_t i = 0; i < 20000; i++) {
		char text[40];
		snprintf(text, sizeof text, "name%u.example%u.com", scatter(i), i % 100);
		struct domain d = name_of(text);
		builder_add_name(s, &d, SCOPE_BOTH, v, 0);
	}
}

static const struct served *make_served(void)
{
	static const uint8_t seed[16] = "sixteen bytes ..";
	static struct index index;
	static struct buf bytes = BUF_INIT(64 << 20);
	static const char *const zones[] = {"ip.bl.example", "names.bl.example"};
	struct builder *b = builder_new(1, seed);
	struct served *s = served_new();
	struct err err;

	fill(b);
	if (!builder_write(b, &bytes, &err)
		|| !(index.snapshot = snapshot_open(buf_slice(&bytes), &err)))
		abort();
	builder_free(b);
	for (size_t i = 0; i < 2; i++) {
		struct domain name = name_of(zones[i]);
		served_add_sets(served_zone(s, &name), &index, i, 1, 900);
	}
	served_seal(s);
	return s;
}

/* The first label and question of kind `kind`, the i-th of it. */
static void question_of(unsigned kind, uint32_t i, char *text, size_t size)
{
	uint32_t a = listed[scatter(i) % ENTRIES], low = scatter(scatter(i) % 20000);
	const uint8_t *p = (const uint8_t *)&low;

	switch (kind) {
	case 0: /* IPv4, listed */
		snprintf(text, size, "%u.%u.%u.%u.ip.bl.example", a & 255, a >> 8 & 255,
			a >> 16 & 255, a >> 24);
		break;
	case 1: /* IPv4, not listed */
		snprintf(text, size, "%u.%u.%u.%u.ip.bl.example", a & 255, a >> 8 & 255,
			a >> 16 & 255, (a >> 24) + 128);
		break;
	case 2: /* IPv6, listed */
		snprintf(text, size,
			"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.%x.%x.%x.%x.%x.%x.%x.%x.0.0.0.0.1.0.0.2."
			"ip.bl.example",
			p[3] & 15u, p[3] >> 4u, p[2] & 15u, p[2] >> 4u, p[1] & 15u, p[1] >> 4u,
			p[0] & 15u, p[0] >> 4u);
		break;
	case 3: /* a name, listed */
		snprintf(text, size, "www.name%u.example%u.com.names.bl.example",
			scatter(scatter(i) % 20000), scatter(i) % 20000 % 100);
		break;
	default: /* a name, not listed */
		snprintf(text, size, "www.name%u.example.net.names.bl.example", scatter(i));
	}
}

int main(void)
{
	const struct served *served = make_served();
	static uint8_t messages[CALLS][DNS_QUERY_MAX], out[ANSWER_SIZE_UDP];
	static size_t lens[CALLS];
	struct answer_from from = {.transport = ANSWER_UDP, .now_s = NOW_S};

	for (unsigned kind = 0; kind < 10; kind++) {
		unsigned hits = 0;
		for (uint32_t i = 0; i < CALLS; i++) {
			char text[200];
			question_of(kind / 2, i, text, sizeof text);
			struct dns_query q = {.name = name_of(text),
				.type = kind % 2 ? DNS_TXT : DNS_A,
				.edns = true};
			lens[i] = dns_query_write(&q, messages[i]);
		}
		for (uint32_t i = 0; i < CALLS; i++) {
			struct answer_note note;
			answer_one(served, &from, slice_of(messages[i], lens[i]), out, &note);
			hits += note.listed;
		}
		count_next();
		/* The counts mean nothing when the questions miss what they should hit. */
		if (hits != (kind / 2 == 1 || kind / 2 == 4 ? 0 : CALLS))
			return 1;
	}
	return 0;
}
