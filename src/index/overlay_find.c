/* overlay_find.c - the readers' side of the overlay. */
#include "index/snapshot.h"
#include "index/overlay_parts.h"

/* The chains of what covers a question, most specific first. */
struct found {
	const struct record *at[HASH_DEPTH_MAX + 2]; /* where the merge stands in each */
	uint8_t scopes[HASH_DEPTH_MAX + 2];	     /* which records of it count */
	size_t count;
};

static const struct record *first_of(const struct record *r, unsigned scopes)
{
	while (r && !(r->scope & scopes))
		r = next_of(r);
	return r;
}

static void look(struct found *f, struct table *t, const struct key *k, unsigned scopes)
{
	record_slot *slot = slot_of(t, k);
	const struct record *r =
		slot ? first_of(atomic_load_explicit(slot, memory_order_acquire), scopes) : NULL;

	if (!r)
		return;
	f->scopes[f->count] = (uint8_t)scopes;
	f->at[f->count++] = r;
}

static struct hit hit_of(const struct record *r)
{
	return (struct hit){
		.value = {r->code, slice_of(r->bytes + r->key_len, r->text_len)},
		.expires_s = r->expires_s,
		.set = r->set,
		.len = r->len,
		.scope = r->scope,
	};
}

/* Hits on their way from the snapshot's to the merged ones. */
struct merging {
	struct hit old[SNAPSHOT_HITS_MAX], *hits;
	size_t at, count, out;
};

static void put_hit(struct merging *m, struct hit h)
{
	if (m->out < SNAPSHOT_HITS_MAX)
		m->hits[m->out++] = h;
}

/* Those of a set's old hits that stand before r pass; those of r's own key go. */
static void merge_record(struct merging *m, const struct record *r, int64_t now_s)
{
	const struct hit *h = &m->old[m->at];

	for (; m->at < m->count && h->set == r->set
		&& (h->len > r->len || (h->len == r->len && h->scope < r->scope));
		h = &m->old[++m->at])
		put_hit(m, *h);
	if (r->listed && (!r->expires_s || r->expires_s > now_s))
		put_hit(m, hit_of(r));
	for (; m->at < m->count && h->set == r->set && h->len == r->len && h->scope == r->scope;
		h = &m->old[++m->at])
		;
}

/* The lowest set that has a record. */
static size_t next_set(const struct found *f)
{
	size_t set = SIZE_MAX;

	for (size_t i = 0; i < f->count; i++)
		if (f->at[i] && f->at[i]->set < set)
			set = f->at[i]->set;
	return set;
}

static size_t merge(struct found *f, int64_t now_s, struct hit hits[], size_t n)
{
	struct merging m;
	size_t set;

	if (!f->count)
		return n;
	m.at = m.out = 0;
	m.count = n;
	m.hits = hits;
	memcpy(m.old, hits, n * sizeof *hits);
	while ((set = next_set(f)) != SIZE_MAX) {
		while (m.at < n && m.old[m.at].set < set)
			put_hit(&m, m.old[m.at++]);
		for (size_t i = 0; i < f->count; i++) {
			while (f->at[i] && f->at[i]->set == set) {
				merge_record(&m, f->at[i], now_s);
				f->at[i] = first_of(next_of(f->at[i]), f->scopes[i]);
			}
		}
		while (m.at < n && m.old[m.at].set == set)
			put_hit(&m, m.old[m.at++]);
	}
	while (m.at < n)
		put_hit(&m, m.old[m.at++]);
	return m.out;
}

/* The longest of the lengths (a set of 64), taken out of it. */
static unsigned take_longest(uint64_t *lens)
{
	unsigned len = 63 - (unsigned)__builtin_clzll(*lens);

	*lens &= ~((uint64_t)1 << len);
	return len;
}

static void find_ip4(const struct overlay *o, uint32_t address, uint64_t lens, struct found *f)
{
	struct table *t = table_of(o, FAMILY_IP4);

	f->count = 0;
	while (lens) {
		unsigned len = take_longest(&lens);
		uint32_t a = len ? address & UINT32_MAX << (32 - len) : 0;
		uint8_t bytes[4] = {
			(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a};
		struct key k = key_of_address(o, bytes, 4, len);

		look(f, t, &k, UINT8_MAX);
	}
}

size_t overlay_merge_ip4(
	const struct overlay *o, uint32_t address, int64_t now_s, struct hit hits[], size_t n)
{
	uint64_t lens = lens_of(o, FAMILY_IP4, 0);
	struct found f;

	if (!lens)
		return n;
	find_ip4(o, address, lens, &f);
	return merge(&f, now_s, hits, n);
}

bool overlay_covers_ip4(const struct overlay *o, uint32_t address)
{
	uint64_t lens = lens_of(o, FAMILY_IP4, 0);
	struct found f;

	if (!lens)
		return false;
	find_ip4(o, address, lens, &f);
	return f.count != 0;
}

static void find_ip6(
	const struct overlay *o, struct table *t, const uint8_t address[16], struct found *f)
{
	struct ip ip = {.family = 6};

	memcpy(ip.bytes, address, sizeof ip.bytes);
	f->count = 0;
	for (unsigned word = 3; word--;) {
		uint64_t lens = lens_of(o, FAMILY_IP6, word);

		while (lens) {
			struct prefix p = prefix_of(&ip, word * 64 + take_longest(&lens));
			struct key k = key_of_prefix(o, &p);

			look(f, t, &k, UINT8_MAX);
		}
	}
}

size_t overlay_merge_ip6(const struct overlay *o, const uint8_t address[16], int64_t now_s,
	struct hit hits[], size_t n)
{
	struct table *t = table_of(o, FAMILY_IP6);
	struct found f;

	if (!t)
		return n;
	find_ip6(o, t, address, &f);
	return merge(&f, now_s, hits, n);
}

bool overlay_covers_ip6(const struct overlay *o, const uint8_t address[16])
{
	struct table *t = table_of(o, FAMILY_IP6);
	struct found f;

	if (!t)
		return false;
	find_ip6(o, t, address, &f);
	return f.count != 0;
}

static void find_name(const struct overlay *o, struct table *t, const uint8_t *name, size_t len,
	unsigned labels, struct found *f)
{
	struct hash_suffixes s;

	hash_suffixes(&s, name, len, labels, HASH_DEPTH_MAX, o->key);
	f->count = 0;
	for (unsigned word = 2; word--;) {
		uint64_t lens = lens_of(o, FAMILY_NAME, word);

		while (lens) {
			unsigned d = word * 64 + take_longest(&lens);
			struct key k;

			if (d > labels)
				continue;
			k = (struct key){hash_end(s.hash[d]), (uint8_t)d,
				(uint8_t)(name + len - s.at[d]), s.at[d]};
			look(f, t, &k, d == labels ? SCOPE_SELF : SCOPE_BELOW);
		}
	}
}

size_t overlay_merge_name(const struct overlay *o, const uint8_t *name, size_t len, unsigned labels,
	int64_t now_s, struct hit hits[], size_t n)
{
	struct table *t = table_of(o, FAMILY_NAME);
	struct found f;

	if (!t)
		return n;
	find_name(o, t, name, len, labels, &f);
	return merge(&f, now_s, hits, n);
}

bool overlay_covers_name(const struct overlay *o, const uint8_t *name, size_t len, unsigned labels)
{
	struct table *t = table_of(o, FAMILY_NAME);
	struct found f;

	if (!t)
		return false;
	find_name(o, t, name, len, labels, &f);
	return f.count != 0;
}
