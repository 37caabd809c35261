/* dnsd_world.h - a small world to ask: lists of a site and data sets as from files, in one snapshot. Shared
 * by the tests of answer() and its fuzzer. */
#pragma once

#include "dnsd/answer/answer.h"
#include "index/builder.h"

struct world {
	struct buf bytes;
	struct snapshot *snapshot;
	struct overlay *overlay;
	struct index index;
	_Atomic uint64_t serial;
	struct served_list lists[3];
	struct served *served;
};

#define WORLD_NOW 1000000

static inline struct domain world_name(const char *s)
{
	struct domain d;

	if (!domain_parse(slice_str(s), &d, NULL))
		abort();
	return d;
}

static inline void world_prefix(
	struct builder_set *s, const char *text, uint32_t value, int64_t expires_s)
{
	struct prefix p;

	if (!prefix_parse(slice_str(text), &p, NULL))
		abort();
	builder_add_prefix(s, &p, value, expires_s);
}

static inline void world_name_entry(
	struct builder_set *s, const char *text, enum scope scope, uint32_t value)
{
	struct domain d = world_name(text);

	builder_add_name(s, &d, scope, value, 0);
}

/* Sets 10 to 12: zone "odd.example", names and addresses together, an SOA that hardly fits. */
#define LONG(x) x "23456789012345678901234567890123456789012345678901234567890"
static inline void world_odd_sets(struct builder *b)
{
	struct set_meta m = meta_plain(SET_NAME, SET_ALL, 900);
	struct builder_set *s;
	uint32_t v;

	m.has_soa = true;
	m.soa = (struct set_soa){70, 5, 1, 2, 3, 80,
		world_name(LONG("a") "." LONG("b") "." LONG("c") ".other"),
		world_name(LONG("x") "." LONG("y") "." LONG("c") ".other")};
	s = builder_set_new(b, SLICE("dnset:d"), &m);
	v = builder_value(s, 0x7f000004, SLICE("$$ $ costs $$"));
	world_name_entry(s, "spam.test", SCOPE_BOTH, v);
	world_name_entry(s, "spam.test", SCOPE_SELF, builder_value(s, 0x7f000005, SLICE("self $")));
	world_name_entry(s, "1.2.0.192", SCOPE_SELF, v);
	m = meta_plain(SET_IP, SET_FIRST, 900);
	s = builder_set_new(b, SLICE("ip:d"), &m);
	v = builder_value(s, 0x7f000004, SLICE("$"));
	world_prefix(s, "192.0.2.0/30", v, 0);
	world_prefix(s, "2001:db8::/32", v, 0);
	world_prefix(s, "0.0.0.0/1", builder_value(s, 0x7f000006, SLICE_EMPTY), 0);
	s = builder_set_new(b, SLICE("ip:e"), &m);
	world_prefix(s, "192.0.2.2", builder_value(s, 0x7f000004, SLICE("$")), 0);
}

/* Sets 0 and 1: lists "bad" and "worse" in zone bl.example; 2: list "dom" in dom.example; 3 and 4: a file
 * zone "file.example" of two data sets; 5 to 7: a combined one, "comb.example"; 8: "bare.example" without
 * SOA and NS. */
static inline void world_sets(struct builder *b)
{
	struct set_meta m = meta_plain(SET_IP, SET_FIRST, 0);
	struct builder_set *s = builder_set_new(b, SLICE("bad"), &m);
	uint32_t v = builder_value(s, 0x7f000002, SLICE("$ is bad, see http://portal/?$"));

	world_prefix(s, "192.0.2.1", v, 0);
	world_prefix(s, "192.0.2.2", v, WORLD_NOW + 10);
	world_prefix(s, "192.0.2.3", v, WORLD_NOW - 1);
	world_prefix(s, "198.51.100.0/24", v, 0);
	world_prefix(s, "2001:db8::/64", v, 0);
	world_prefix(s, "127.0.0.1", v, 0); /* wrong data: must not show */
	s = builder_set_new(b, SLICE("worse"), &m);
	v = builder_value(s, 0x7f000009, SLICE("worse: $"));
	world_prefix(s, "192.0.2.1", v, 0);
	m = meta_plain(SET_NAME, SET_FIRST, 0);
	s = builder_set_new(b, SLICE("dom"), &m);
	v = builder_value(s, 0x7f000004, SLICE("$ is spamvertised"));
	world_name_entry(s, "spam.test", SCOPE_BOTH, v);
	world_name_entry(s, "invalid", SCOPE_BOTH, v); /* wrong data again */

	m = meta_plain(SET_IP, SET_OCTETS, 600);
	m.stamp_s = 777;
	m.has_soa = true;
	m.soa = (struct set_soa){
		0, 0, 1, 2, 3, 300, world_name("ns1.file.example"), world_name("h.file.example")};
	m.ns_count = 2;
	m.ns[0] = world_name("ns1.file.example");
	m.ns[1] = world_name("ns2.other");
	s = builder_set_new(b, SLICE("ip4set:a"), &m);
	v = builder_value(s, 0x7f000002, SLICE("first $"));
	world_prefix(s, "1.2.3.4", v, 0);
	world_prefix(s, "1.2.3.4", builder_value(s, 0x7f000003, SLICE("second $")), 0);
	world_prefix(s, "10.0.0.0/8", builder_value(s, 0x7f00000a, SLICE_EMPTY), 0);
	world_prefix(s, "10.9.0.0/16", BUILDER_EXCLUDED, 0);
	m = meta_plain(SET_IP, SET_FIRST, 0);
	s = builder_set_new(b, SLICE("ip4trie:b"), &m);
	world_prefix(s, "1.2.3.4", builder_value(s, 0x7f000002, SLICE("first $")), 0);
	world_prefix(s, "10.9.0.1", builder_value(s, 0x7f00000b, SLICE("eleven")), 0);
	world_prefix(s, "10.8.0.1", builder_value(s, 0x7f00000b, SLICE("eleven")), 0);

	m.kind = SET_NONE;
	m.has_soa = true;
	m.soa = (struct set_soa){50, 99, 1, 2, 3, 300, world_name("ns.comb"), world_name("h.comb")};
	m.places = SLICE_EMPTY;
	builder_set_new(b, SLICE("combined:c"), &m);
	m = meta_plain(SET_IP, SET_OCTETS, 0);
	m.places = slice_of("\0\7proxies\0", 10); /* "@" and one below it */
	s = builder_set_new(b, SLICE("proxy"), &m);
	world_prefix(s, "1.1.1.1", builder_value(s, 0x7f000002, SLICE_EMPTY), 0);
	m.places = slice_of("\6relays\0", 8);
	s = builder_set_new(b, SLICE("relay"), &m);
	world_prefix(s, "1.1.1.1", builder_value(s, 0x7f000003, SLICE_EMPTY), 0);

	m = meta_plain(SET_IP, SET_FIRST, 0);
	s = builder_set_new(b, SLICE("bare"), &m);
	v = builder_value(s, 0x7f000002, SLICE("x"));
	world_prefix(s, "1.1.1.1", v, 0);
	m = meta_plain(SET_IP, SET_OCTETS, 0);
	s = builder_set_new(b, SLICE("many"), &m);
	for (unsigned i = 0; i < 16; i++) {
		char text[200];
		int n = snprintf(text, sizeof text, "%u %0150u", i, i);
		world_prefix(s, "2.2.2.2",
			builder_value(s, 0x7f000100 + i, slice_of(text, (size_t)n)), 0);
	}
	world_odd_sets(b);
}

static inline void world_lists(struct world *w)
{
	w->lists[0] = (struct served_list){.name = SLICE("bad"),
		.kind = SET_IP,
		.code = 0x7f000002,
		.text = SLICE("test $"),
		.ttl_s = 300,
		.meta = meta_plain(SET_IP, SET_FIRST, 300)};
	w->lists[1] = w->lists[0];
	w->lists[1].name = SLICE("worse");
	w->lists[1].code = 0x7f000009;
	w->lists[2] = (struct served_list){.name = SLICE("dom"),
		.kind = SET_NAME,
		.code = 0x7f000004,
		.text = SLICE("test $"),
		.ttl_s = 300,
		.meta = meta_plain(SET_NAME, SET_FIRST, 300)};
}

/* published: false as before listd's first snapshot. */
static inline void world_init(struct world *w, bool published)
{
	static const uint8_t seed[16] = "sixteen bytes ..";
	struct builder *b = builder_new(42, seed);
	struct err err;

	*w = (struct world){.bytes = BUF_INIT(1 << 20)};
	world_sets(b);
	if (!builder_write(b, &w->bytes, &err)
		|| !(w->snapshot = snapshot_open(buf_slice(&w->bytes), &err)))
		abort();
	builder_free(b);
	w->overlay = overlay_new(w->snapshot);
	w->index = (struct index){w->snapshot, w->overlay};
	atomic_store(&w->serial, 4711);
	world_lists(w);
	w->served = served_new();
	for (unsigned i = 0; i < 3; i++) {
		struct domain name = world_name(i < 2 ? "bl.example" : "dom.example");
		struct served_zone *z = served_zone(w->served, &name);
		z->has_soa = true;
		z->soa = (struct set_soa){300, 0, 1, 2, 3, 60, world_name("ns1.bl.example"),
			world_name("hostmaster.example")};
		z->serial = &w->serial;
		z->ns_count = 1;
		z->ns_ttl_s = 86400;
		z->ns[0] = world_name("ns1.bl.example");
		served_add_list(z, published ? &w->index : NULL, &w->lists[i]);
	}
	static const struct {
		const char *zone;
		size_t first, count;
	} files[] = {{"file.example", 3, 1}, {"file.example", 4, 1}, {"comb.example", 5, 3},
		{"turned.example", 4, 1}, {"turned.example", 3, 1}, {"bare.example", 8, 1},
		{"many.example", 9, 1}, {"sub.bl.example", 8, 1}, {"odd.example", 10, 1},
		{"odd.example", 11, 1}, {"odd.example", 12, 1}};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct domain name = world_name(files[i].zone);
		served_add_sets(served_zone(w->served, &name), &w->index, files[i].first,
			files[i].count, 2100);
	}
	struct domain name = world_name("broken.example");
	served_zone(w->served, &name)->broken = true;
	served_seal(w->served);
}

static inline void world_done(struct world *w)
{
	served_free(w->served);
	overlay_free(w->overlay);
	snapshot_close(w->snapshot);
	buf_done(&w->bytes);
}
