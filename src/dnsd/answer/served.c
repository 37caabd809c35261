/* served.c - zones and their sources: built once, then only read. */
#include "dnsd/answer/served.h"

#include "base/mem.h"
#include "base/bytes16.h"

struct ends {
	uint64_t first, last;
};

struct slot {
	struct ends ends;	  /* of its name */
	struct served_zone *zone; /* NULL: free */
};

struct served {
	struct served_zone **zones;
	size_t count;
	struct served_rules rules; /* for all zones */
	/* sealed: */
	struct slot *table; /* by name: open addressing; a power of two, at most half full */
	uint32_t mask;
	uint8_t lengths[DOMAIN_WIRE_MAX]; /* of zones' names, longest first */
	size_t length_count;
};

/* Of a name the first eight bytes and the last eight, in lower case. */
static struct ends ends_of(const uint8_t *wire, size_t len)
{
	struct ends e = {0};
	bytes16 both;

	if (len < sizeof e.first) {
		memcpy(&e.first, wire, len);
	} else {
		memcpy(&e.first, wire, sizeof e.first);
		memcpy(&e.last, wire + len - sizeof e.last, sizeof e.last);
	}
	memcpy(&both, &e, sizeof both);
	both = lower16(both);
	memcpy(&e, &both, sizeof both);
	return e;
}

/* Zone names are the operator's own: nobody chooses ones that differ only between their ends to make the table
 * slow. */
static uint64_t ends_hash(struct ends e, size_t len)
{
	return (e.first * 0x9e3779b97f4a7c15 ^ e.last) * 0xbf58476d1ce4e5b9 + len;
}

/* What lies between the ends of two names of that length, one of them in lower case. */
static bool middle_eq(const uint8_t *lower, const uint8_t *wire, size_t len)
{
	bytes16 differ = {0};
	uint64_t halves[2];

	if (len <= 16)
		return true;
	for (size_t at = 8; at + 16 < len; at += 16)
		differ |= lower16(load16(wire + at)) ^ load16(lower + at);
	differ |= lower16(load16(wire + len - 16)) ^ load16(lower + len - 16);
	memcpy(halves, &differ, sizeof differ);
	return (halves[0] | halves[1]) == 0;
}

struct served *served_new(void)
{
	return mem_new(1, sizeof(struct served));
}

static void group_free(struct served_group *g)
{
	for (size_t i = 0; i < g->place_count; i++) {
		free(g->places[i].sources);
		free(g->places[i].by_set);
	}
	free(g->places);
}

struct served *served_free(struct served *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->zones[i]->group_count; k++)
			group_free(&s->zones[i]->groups[k]);
		free(s->zones[i]->groups);
		free(s->zones[i]->rules.items);
		free(s->zones[i]->glue);
		buf_done(&s->zones[i]->records);
		free(s->zones[i]);
	}
	free(s->zones);
	free(s->rules.items);
	free(s->table);
	free(s);
	return NULL;
}

struct served_zone *served_zone(struct served *s, const struct domain *name)
{
	struct served_zone *z;

	for (size_t i = 0; i < s->count; i++)
		if (domain_eq(&s->zones[i]->name, name))
			return s->zones[i];
	z = mem_new(1, sizeof *z);
	z->name = *name;
	z->hash = ends_hash(ends_of(name->wire, name->len), name->len);
	s->zones = mem_resize(s->zones, (s->count + 1) * sizeof *s->zones);
	s->zones[s->count++] = z;
	return z;
}

static struct served_group *group_new(struct served_zone *z)
{
	z->groups = mem_resize(z->groups, (z->group_count + 1) * sizeof *z->groups);
	z->groups[z->group_count] = (struct served_group){0};
	return &z->groups[z->group_count++];
}

static void add_source(struct served_group *g, const struct domain *place, const struct index *ix,
	struct served_source source)
{
	struct served_place *p = NULL;

	for (size_t i = 0; i < g->place_count && !p; i++)
		if (domain_eq(&g->places[i].name, place))
			p = &g->places[i];
	if (!p) {
		g->places = mem_resize(g->places, (g->place_count + 1) * sizeof *g->places);
		p = &g->places[g->place_count++];
		*p = (struct served_place){.name = *place};
	}
	p->sources = mem_resize(p->sources, (p->source_count + 1) * sizeof *p->sources);
	p->sources[p->source_count++] = source;
	if (source.published) {
		bool addresses = source.meta->kind == SET_IP;
		p->index = ix;
		p->reads_addresses = p->reads_addresses || addresses;
		p->reads_names = p->reads_names || !addresses;
	}
	p->reads_ip4 = p->reads_ip4 || source.meta->reads_ip4;
}

/* SOA and NS each come from the first set that has them (rbldnsd(8), Special Entries). */
static void take_meta(struct served_zone *z, const struct set_meta *m, uint32_t default_ttl_s)
{
	if (m->has_soa && !z->has_soa) {
		z->has_soa = true;
		z->soa = m->soa;
		if (z->soa.serial == 0)
			z->soa.serial = (uint32_t)m->stamp_s;
		if (z->soa.ttl_s == 0)
			z->soa.ttl_s = m->ttl_s ? m->ttl_s : default_ttl_s;
	}
	if (m->ns_count && !z->ns_count) {
		z->ns_count = m->ns_count;
		memcpy(z->ns, m->ns, m->ns_count * sizeof *m->ns);
		z->ns_ttl_s = m->ns_ttl_s ? m->ns_ttl_s : m->ttl_s ? m->ttl_s : default_ttl_s;
	}
	if (m->expires_s && (z->expires_s == 0 || m->expires_s < z->expires_s))
		z->expires_s = m->expires_s;
}

static void add_rule(struct served_rules *rules, const struct index *ix, uint32_t default_ttl_s)
{
	const struct set_meta *m = snapshot_set_meta(ix->snapshot, 0);

	rules->items = mem_resize(rules->items, (rules->count + 1) * sizeof *rules->items);
	rules->items[rules->count++] =
		(struct served_rule){ix, m->ttl_s ? m->ttl_s : default_ttl_s, m->kind == SET_KEYS};
}

void served_add_rule(struct served *s, const struct index *ix, uint32_t default_ttl_s)
{
	add_rule(&s->rules, ix, default_ttl_s);
}

const struct served_rules *served_rules(const struct served *s)
{
	return &s->rules;
}

/* acl and aclkey data sets hold one set that lists nothing. */
static bool is_rule(const struct index *ix, size_t set)
{
	enum set_kind kind = snapshot_set_meta(ix->snapshot, set)->kind;

	return kind == SET_ACCESS || kind == SET_KEYS;
}

void served_add_sets(struct served_zone *z, const struct index *ix, size_t first, size_t count,
	uint32_t default_ttl_s)
{
	struct served_group *g;

	if (count && is_rule(ix, first)) {
		add_rule(&z->rules, ix, default_ttl_s);
		z->has_keys = z->has_keys || z->rules.items[z->rules.count - 1].by_key;
		return;
	}
	g = group_new(z);
	for (size_t set = first; set < first + count; set++) {
		const struct set_meta *m = snapshot_set_meta(ix->snapshot, set);
		struct served_source source = {.published = true, .set = set, .meta = m};
		struct slice places = m->places;
		struct domain place;
		source.ttl_s = m->ttl_s ? m->ttl_s : default_ttl_s;
		take_meta(z, m, default_ttl_s);
		z->reads_ip4 = z->reads_ip4 || (count == 1 && m->reads_ip4);
		if (m->kind == SET_NONE)
			continue;
		while (meta_next_place(&places, &place))
			add_source(g, &place, ix, source);
	}
}

void served_add_list(struct served_zone *z, const struct index *ix, const struct served_list *list)
{
	static const struct domain apex = {.len = 1};
	struct served_source source = {.list = list, .meta = &list->meta, .ttl_s = list->ttl_s};

	if (ix && snapshot_set_find(ix->snapshot, list->name, &source.set)) {
		source.published = true;
		source.meta = snapshot_set_meta(ix->snapshot, source.set);
	}
	if (!z->lists_group) {
		group_new(z);
		z->lists_group = z->group_count;
	}
	add_source(&z->groups[z->lists_group - 1], &apex, ix, source);
	z->has_list = true;
	z->reads_ip4 = z->reads_ip4 || source.meta->reads_ip4;
	z->has_ip_list = z->has_ip_list || list->kind == SET_IP;
	z->has_name_list = z->has_name_list || list->kind == SET_NAME;
}

static int deepest_first(const void *a, const void *b)
{
	const struct served_place *x = a, *y = b;

	return (int)y->name.labels - (int)x->name.labels;
}

static int by_set(const void *a, const void *b)
{
	const struct served_source *x = a, *y = b;

	return x->set < y->set ? -1 : x->set > y->set;
}

/* Its sources stand by set already. */
static void place_seal(struct served_place *p)
{
	for (size_t i = 0; i < p->source_count; i++)
		if (p->sources[i].published)
			p->set_end = p->sources[i].set + 1;
	p->by_set = mem_new(p->set_end + 1, sizeof *p->by_set);
	for (size_t i = p->source_count; i--;)
		if (p->sources[i].published)
			p->by_set[p->sources[i].set] = (uint16_t)(i + 1);
}

static void group_seal(struct served_group *g, bool reads_ip4)
{
	if (g->place_count == 1 && g->places[0].name.labels == 0 && reads_ip4)
		g->places[0].reads_ip4 = true;
	if (g->place_count) /* none: a zone of SOA and NS alone */
		qsort(g->places, g->place_count, sizeof *g->places, deepest_first);
	for (size_t i = 0; i < g->place_count; i++) {
		struct served_place *p = &g->places[i];
		qsort(p->sources, p->source_count, sizeof *p->sources, by_set);
		place_seal(p);
	}
}

/* Whether fast.c knows all that this zone's answers may need. */
static bool zone_is_plain(const struct served_zone *z)
{
	if (z->broken || z->guarded || z->transfer_only || z->adds_ns || z->quota.second
		|| z->quota.day)
		return false;
	for (size_t i = 0; i < z->group_count; i++) {
		const struct served_group *g = &z->groups[i];
		if (g->place_count > 1 || (g->place_count && g->places[0].name.labels > 0))
			return false;
		for (size_t k = 0; g->place_count && k < g->places[0].source_count; k++) {
			const struct served_source *source = &g->places[0].sources[k];
			if (source->meta->kind == SET_RECORDS)
				return false;
			if (source->list && source->list->kind == SET_IP
				&& source->list->code >> 24 != 127)
				return false; /* its test entry is outside of 127/8 */
		}
	}
	return true;
}

/* The place that has an index; NULL unless there is exactly one. */
static const struct served_place *only_place(const struct served_zone *z)
{
	const struct served_place *only = NULL;

	for (size_t i = 0; i < z->group_count; i++) {
		const struct served_group *g = &z->groups[i];
		if (!g->place_count || !g->places[0].index)
			continue;
		if (only)
			return NULL;
		only = &g->places[0];
	}
	return only;
}

static void zone_seal(struct served_zone *z)
{
	for (size_t i = 0; i < z->group_count; i++) {
		struct served_group *g = &z->groups[i];
		group_seal(g, z->reads_ip4);
		for (size_t k = 0; k < g->place_count; k++) {
			z->reads_addresses = z->reads_addresses || g->places[k].reads_addresses;
			z->reads_names = z->reads_names || g->places[k].reads_names;
		}
	}
	if (z->has_soa)
		soa_prepare(&z->soa_record, &z->name, &z->soa);
	z->plain = zone_is_plain(z);
	z->only = only_place(z);
	z->conditions = z->has_list || z->key || z->expires_s;
}

static inline struct served_zone *zone_at(const struct served *s, const uint8_t *wire, size_t len)
{
	struct ends ends = ends_of(wire, len);
	const struct slot *slot;

	for (uint32_t at = (uint32_t)(ends_hash(ends, len) >> 32) & s->mask;;
		at = (at + 1) & s->mask) {
		slot = &s->table[at];
		if (!slot->zone)
			return NULL;
		if (slot->ends.first == ends.first && slot->ends.last == ends.last
			&& slot->zone->name.len == len
			&& middle_eq(slot->zone->name.wire, wire, len))
			return slot->zone;
	}
}

/* fast.c takes a name's front for an address before it knows the zone. So where a zone's name has more
 * labels like an address's than another one's, as 10.bl.example beside bl.example, the latter is not plain. */
static void mark_parents(const struct served *s, const struct domain *name)
{
	for (unsigned at = 0; name->wire[at];) {
		unsigned size = name->wire[at], parent = at + size + 1;
		struct served_zone *z = zone_at(s, name->wire + parent, name->len - parent);
		bool like_address = size <= 3;
		for (unsigned i = at + 1; i < parent; i++)
			like_address = like_address && ascii_hex((char)name->wire[i]) >= 0;
		if (z && like_address)
			z->plain = false;
		at = parent;
	}
}

static void add_limit(uint32_t *limit, long more)
{
	if (more && (*limit == 0 || more < (long)*limit))
		*limit = (uint32_t)more;
}

void served_add_quota(struct served_zone *z, long second, long day)
{
	add_limit(&z->quota.second, second);
	add_limit(&z->quota.day, day);
}

void served_seal(struct served *s)
{
	bool length[DOMAIN_WIRE_MAX + 1] = {false};
	uint32_t size = 4;

	while (size < s->count * 2)
		size *= 2;
	s->table = mem_new(size, sizeof *s->table);
	s->mask = size - 1;
	for (size_t i = 0; i < s->count; i++) {
		struct served_zone *z = s->zones[i];
		uint32_t at = (uint32_t)(z->hash >> 32) & s->mask;
		while (s->table[at].zone)
			at = (at + 1) & s->mask;
		s->table[at] = (struct slot){ends_of(z->name.wire, z->name.len), z};
		length[z->name.len] = true;
		z->guarded = z->rules.count || s->rules.count;
		zone_seal(z);
	}
	for (size_t i = 0; i < s->count; i++)
		mark_parents(s, &s->zones[i]->name);
	for (unsigned len = DOMAIN_WIRE_MAX; len > 0; len--)
		if (length[len])
			s->lengths[s->length_count++] = (uint8_t)len;
}

struct served_zone *served_zone_at(struct served *s, size_t i)
{
	return s->zones[i];
}

size_t served_zone_count(const struct served *s)
{
	return s->count;
}

/* The longest zone's name of all that the name ends in, from the i-th length on. */
static const struct served_zone *next_tail(
	const struct served *s, const uint8_t *name, size_t len, size_t *i)
{
	const struct served_zone *z = NULL;

	for (; *i < s->length_count && !z; ++*i)
		if (s->lengths[*i] <= len)
			z = zone_at(s, name + len - s->lengths[*i], s->lengths[*i]);
	return z;
}

const struct served_zone *served_find_exact(const struct served *s, const uint8_t *name, size_t len)
{
	return zone_at(s, name, len);
}

const struct served_zone *served_find_tail(const struct served *s, const uint8_t *name, size_t len)
{
	size_t i = 0;

	return next_tail(s, name, len, &i);
}

static bool is_label_start(const struct dns_question *q, unsigned at)
{
	for (unsigned i = 0; i <= q->name.labels; i++)
		if (q->label_at[i] == at)
			return true;
	return false;
}

const struct served_zone *served_find(const struct served *s, const struct dns_question *q)
{
	const struct served_zone *z;
	size_t i = 0;

	while ((z = next_tail(s, q->name.wire, q->name.len, &i)) != NULL)
		if (is_label_start(q, (unsigned)q->name.len - z->name.len))
			return z;
	return NULL;
}

static bool has_records(const struct served_zone *z)
{
	for (size_t g = 0; g < z->group_count; g++)
		for (size_t i = 0; i < z->groups[g].place_count; i++) {
			const struct served_place *p = &z->groups[g].places[i];
			for (size_t k = 0; k < p->source_count; k++)
				if (p->sources[k].meta->kind == SET_RECORDS)
					return true;
		}
	return false;
}

const char *served_lacks(const struct served_zone *z)
{
	if (z->broken)
		return "its data could not be read";
	if (!z->has_soa)
		return "it has no SOA";
	if (z->has_keys)
		return "it has key labels (aclkey)";
	return has_records(z) ? "it has whole records (generic)" : NULL;
}
