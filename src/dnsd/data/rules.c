/* rules.c - allow and deny of the configuration, as rules that answer() asks. */
#include "dnsd/data/rules.h"

#include "base/mem.h"
#include "index/access.h"
#include "index/builder.h"

#define RULE_SIZE_MAX ((size_t)1 << 30)

/* One place's allow and deny as a set of its own; no snapshot: it has neither. */
struct rule {
	struct buf bytes;
	struct index index;
};

struct rules {
	struct rule all, *zones, *lists;
	size_t zone_count, list_count;
};

static void add(struct builder_set *s, const struct prefixes *p, enum access_action action)
{
	uint32_t value = builder_value(s, action, ACCESS_TEXT);

	for (size_t i = 0; i < p->count; i++)
		builder_add_prefix(s, &p->items[i], value, 0);
}

static void rule_make(struct rule *r, const struct prefixes *allow, const struct prefixes *deny)
{
	static const uint8_t seed[16], zero[16];
	struct set_meta meta = meta_plain(SET_ACCESS, SET_FIRST, 0);
	struct builder_set *s;
	struct builder *b;

	if (!allow->count && !deny->count)
		return;
	b = builder_new(1, seed);
	s = builder_set_new(b, SLICE("allow and deny"), &meta);
	/* Of equal prefixes the first counts: what is both is denied. */
	add(s, deny, ACCESS_REFUSE);
	add(s, allow, ACCESS_PASS);
	if (allow->count) {
		uint32_t value = builder_value(s, ACCESS_REFUSE, ACCESS_TEXT);
		builder_add_ip4(s, 0, 0, value, 0);
		builder_add_ip6(s, zero, 0, value, 0);
	}
	r->bytes = BUF_INIT(RULE_SIZE_MAX);
	if (builder_write(b, &r->bytes, NULL))
		r->index.snapshot = snapshot_open(buf_slice(&r->bytes), NULL);
	if (!r->index.snapshot)
		abort(); /* a file that long was no configuration */
	builder_free(b);
}

struct rules *rules_new(const struct config *c)
{
	struct rules *r = mem_new(1, sizeof *r);

	r->zone_count = c->dnsd.zone_count;
	r->list_count = c->list_count;
	r->zones = mem_new(r->zone_count + 1, sizeof *r->zones);
	r->lists = mem_new(r->list_count + 1, sizeof *r->lists);
	rule_make(&r->all, &c->dnsd.allow, &c->dnsd.deny);
	for (size_t i = 0; i < r->zone_count; i++)
		rule_make(&r->zones[i], &c->dnsd.zones[i].allow, &c->dnsd.zones[i].deny);
	for (size_t i = 0; i < r->list_count; i++)
		rule_make(&r->lists[i], &c->lists[i].allow, &c->lists[i].deny);
	return r;
}

static void rule_done(struct rule *r)
{
	snapshot_close((struct snapshot *)r->index.snapshot);
	buf_done(&r->bytes);
}

struct rules *rules_free(struct rules *r)
{
	if (!r)
		return NULL;
	rule_done(&r->all);
	for (size_t i = 0; i < r->zone_count; i++)
		rule_done(&r->zones[i]);
	for (size_t i = 0; i < r->list_count; i++)
		rule_done(&r->lists[i]);
	free(r->zones);
	free(r->lists);
	free(r);
	return NULL;
}

void rules_serve(const struct rules *r, const struct config *c, struct served *to)
{
	if (r->all.index.snapshot)
		served_add_rule(to, &r->all.index, 0);
	for (size_t i = 0; i < r->zone_count; i++)
		if (r->zones[i].index.snapshot)
			served_add_sets(served_zone(to, &c->dnsd.zones[i].zone_name),
				&r->zones[i].index, 0, 1, 0);
	for (size_t i = 0; i < r->list_count; i++)
		if (r->lists[i].index.snapshot)
			served_add_sets(served_zone(to, &c->lists[i].zone_name), &r->lists[i].index,
				0, 1, 0);
}
