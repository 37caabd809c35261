/* overlay.c - hash tables that one thread changes while others read them: records never change once
 * they can be seen, slots and tables are swapped whole, what was swapped out waits for a grace period. */
#include "index/overlay.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "index/snapshot.h"

#include <stdatomic.h>

#define TABLE_FIRST 64 /* slots of a new table; a power of two */

struct record {
	uint64_t hash;
	int64_t expires_s;
	uint32_t code;
	uint32_t text_len;
	bool listed;
	uint8_t len;   /* prefix length, or labels */
	uint8_t scope; /* of a name; 4 or 6 for addresses */
	uint8_t key_len;
	char bytes[]; /* key, then text */
};

struct table {
	size_t size, count;		  /* count is the writer's */
	_Atomic(struct record *) slots[]; /* open addressing, never more than half full */
};

enum { FAMILY_IP4, FAMILY_IP6, FAMILY_NAME, FAMILIES };

struct overlay_set {
	_Atomic(struct table *) tables[FAMILIES];
	_Atomic uint64_t
		lens[FAMILIES][3]; /* prefix lengths, or counts of labels, that are in use */
	_Atomic unsigned scopes;   /* bit n: names of scope n are in use */
};

struct retired {
	void **items;
	size_t count, cap;
};

struct overlay {
	size_t set_count;
	uint8_t seed[16];
	_Atomic size_t count;
	struct retired fresh, waiting;
	bool in_grace;
	struct overlay_set sets[];
};

struct overlay *overlay_new(const struct snapshot *s)
{
	size_t n = snapshot_set_count(s);
	struct overlay *o = mem_new(1, sizeof *o + n * sizeof o->sets[0]);

	o->set_count = n;
	memcpy(o->seed, snapshot_seed(s), sizeof o->seed);
	return o;
}

static void retired_free(struct retired *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i]);
	free(r->items);
	*r = (struct retired){0};
}

struct overlay *overlay_free(struct overlay *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->set_count; i++) {
		for (size_t f = 0; f < FAMILIES; f++) {
			struct table *t = atomic_load(&o->sets[i].tables[f]);

			for (size_t k = 0; t && k < t->size; k++)
				free(atomic_load(&t->slots[k]));
			free(t);
		}
	}
	retired_free(&o->fresh);
	retired_free(&o->waiting);
	free(o);
	return NULL;
}

size_t overlay_count(const struct overlay *o)
{
	return atomic_load_explicit(&o->count, memory_order_relaxed);
}

static void retire(struct overlay *o, void *p)
{
	struct retired *r = &o->fresh;

	if (!p)
		return;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->items = mem_resize(r->items, r->cap * sizeof *r->items);
	}
	r->items[r->count++] = p;
}

void overlay_grace_start(struct overlay *o)
{
	if (o->in_grace)
		return;
	o->waiting = o->fresh;
	o->fresh = (struct retired){0};
	o->in_grace = true;
}

void overlay_grace_end(struct overlay *o)
{
	if (!o->in_grace)
		return;
	retired_free(&o->waiting);
	o->in_grace = false;
}

/* ---- both sides ---- */

struct key {
	uint64_t hash;
	uint8_t len, scope, key_len;
	const void *bytes;
};

static struct key key_of(
	const struct overlay *o, uint8_t len, uint8_t scope, const void *bytes, size_t key_len)
{
	char all[2 + DOMAIN_WIRE_MAX] = {(char)len, (char)scope};

	memcpy(all + 2, bytes, key_len);
	return (struct key){
		siphash(o->seed, slice_of(all, 2 + key_len)), len, scope, (uint8_t)key_len, bytes};
}

/* The slot that holds the key, or the free one where it belongs. */
static _Atomic(struct record *) *slot_of(
	struct table *t, const struct key *k, struct record **ret_record)
{
	struct record *r;

	for (size_t i = k->hash;; i++) {
		_Atomic(struct record *) *slot = &t->slots[i & (t->size - 1)];

		r = atomic_load_explicit(slot, memory_order_acquire);
		if (!r
			|| (r->hash == k->hash && r->len == k->len && r->scope == k->scope
				&& r->key_len == k->key_len
				&& memcmp(r->bytes, k->bytes, k->key_len) == 0)) {
			*ret_record = r;
			return slot;
		}
	}
}

/* ---- the writer ---- */

static struct table *table_grown(const struct table *old)
{
	size_t size = old ? old->size * 2 : TABLE_FIRST;
	struct table *t = mem_new(1, sizeof *t + size * sizeof t->slots[0]);

	t->size = size;
	for (size_t i = 0; old && i < old->size; i++) {
		struct record *r = atomic_load_explicit(&old->slots[i], memory_order_relaxed);

		if (!r)
			continue;
		for (size_t j = r->hash;; j++) {
			_Atomic(struct record *) *slot = &t->slots[j & (size - 1)];

			if (atomic_load_explicit(slot, memory_order_relaxed))
				continue;
			atomic_store_explicit(slot, r, memory_order_relaxed);
			break;
		}
		t->count++;
	}
	return t;
}

static void put(struct overlay *o, size_t set, size_t family, const struct key *k,
	const struct value *listed, int64_t expires_s)
{
	struct overlay_set *s = &o->sets[set];
	struct table *t = atomic_load_explicit(&s->tables[family], memory_order_relaxed), *old = t;
	struct slice text = listed ? listed->text : SLICE_EMPTY;
	struct record *r = mem_new(1, sizeof *r + k->key_len + text.len), *before;
	_Atomic(struct record *) *slot;

	*r = (struct record){k->hash, expires_s, listed ? listed->code : 0, (uint32_t)text.len,
		listed != NULL, k->len, k->scope, k->key_len};
	memcpy(r->bytes, k->bytes, k->key_len);
	memcpy(r->bytes + k->key_len, text.ptr, text.len);
	if (!t || (t->count + 1) * 2 > t->size)
		t = table_grown(t);
	slot = slot_of(t, k, &before);
	atomic_store_explicit(slot, r, memory_order_release);
	if (before) {
		retire(o, before);
	} else {
		t->count++;
		atomic_fetch_add_explicit(&o->count, 1, memory_order_relaxed);
	}
	if (t != old) {
		atomic_store_explicit(&s->tables[family], t, memory_order_release);
		retire(o, old);
	}
	if (family == FAMILY_NAME)
		atomic_fetch_or_explicit(&s->scopes, 1u << k->scope, memory_order_release);
	atomic_fetch_or_explicit(
		&s->lens[family][k->len / 64], (uint64_t)1 << k->len % 64, memory_order_release);
}

void overlay_put_prefix(struct overlay *o, size_t set, const struct prefix *key,
	const struct value *listed, int64_t expires_s)
{
	bool ip4 = key->ip.family == 4;
	struct key k = key_of(o, key->len, key->ip.family, key->ip.bytes, ip4 ? 4 : 16);

	put(o, set, ip4 ? FAMILY_IP4 : FAMILY_IP6, &k, listed, expires_s);
}

void overlay_put_name(struct overlay *o, size_t set, const struct domain *name, enum scope scope,
	const struct value *listed, int64_t expires_s)
{
	struct key k = key_of(o, name->labels, (uint8_t)scope, name->wire, name->len);

	put(o, set, FAMILY_NAME, &k, listed, expires_s);
}

/* ---- readers ---- */

static const struct record *find(struct table *t, const struct key *k)
{
	struct record *r;

	slot_of(t, k, &r);
	return r;
}

static bool in_use(const struct overlay_set *s, size_t family, unsigned len)
{
	uint64_t word = atomic_load_explicit(
		&((struct overlay_set *)s)->lens[family][len / 64], memory_order_acquire);

	return word >> len % 64 & 1;
}

/* Puts the records, most specific first (of names with equal labels: by scope, as lookups give them),
 * in the place of the hits of their keys. */
static size_t merge(size_t set, const struct record *const records[], size_t count, int64_t now_s,
	struct hit hits[], size_t n)
{
	struct hit old[SNAPSHOT_HITS_MAX];
	size_t at = 0, out = 0, i = 0;

	memcpy(old, hits, n * sizeof *hits);
	while (at < n || i < count) {
		const struct record *r = i < count ? records[i] : NULL;

		if (!r
			|| (at < n
				&& (old[at].len > r->len
					|| (old[at].len == r->len && old[at].scope < r->scope)))) {
			if (out < SNAPSHOT_HITS_MAX)
				hits[out++] = old[at];
			at++;
			continue;
		}
		i++;
		if (r->listed && (!r->expires_s || r->expires_s > now_s) && out < SNAPSHOT_HITS_MAX)
			hits[out++] = (struct hit){
				.value = {r->code, slice_of(r->bytes + r->key_len, r->text_len)},
				.expires_s = r->expires_s,
				.set = (uint16_t)set,
				.len = r->len,
				.scope = r->scope,
			};
		while (at < n && old[at].len == r->len && old[at].scope == r->scope)
			at++; /* the key's own hits go */
	}
	return out;
}

static size_t merge_address(const struct overlay *o, size_t set, size_t family, const struct ip *ip,
	int64_t now_s, struct hit hits[], size_t n)
{
	struct overlay_set *s = (struct overlay_set *)&o->sets[set];
	struct table *t = atomic_load_explicit(&s->tables[family], memory_order_acquire);
	const struct record *found[129];
	size_t count = 0;

	if (!t)
		return n;
	for (int len = (int)ip_bits(ip->family); len >= 0; len--) {
		struct prefix p;
		struct key k;

		if (!in_use(s, family, (unsigned)len))
			continue;
		p = prefix_of(ip, (unsigned)len);
		k = key_of(o, p.len, p.ip.family, p.ip.bytes, ip->family == 4 ? 4 : 16);
		found[count] = find(t, &k);
		if (found[count])
			count++;
	}
	return count ? merge(set, found, count, now_s, hits, n) : n;
}

static size_t merge_name(const struct overlay *o, size_t set, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[], size_t n)
{
	struct overlay_set *s = (struct overlay_set *)&o->sets[set];
	struct table *t = atomic_load_explicit(&s->tables[FAMILY_NAME], memory_order_acquire);
	unsigned scopes, wanted = SCOPE_SELF;
	const struct record *found[3 * 128];
	size_t count = 0;

	if (!t)
		return n;
	scopes = atomic_load_explicit(&s->scopes, memory_order_acquire);
	for (;; labels--) {
		for (unsigned scope = SCOPE_SELF;
			in_use(s, FAMILY_NAME, labels) && scope <= SCOPE_BOTH; scope++) {
			struct key k;

			if (!(scope & wanted) || !(scopes >> scope & 1))
				continue;
			k = key_of(o, (uint8_t)labels, (uint8_t)scope, name, len);
			found[count] = find(t, &k);
			if (found[count])
				count++;
		}
		if (!labels)
			break;
		wanted = SCOPE_BELOW;
		len -= name[0] + 1u;
		name += name[0] + 1u;
	}
	return count ? merge(set, found, count, now_s, hits, n) : n;
}

/* What is asked: an address or a name. */
struct wanted {
	const struct ip *ip;
	const uint8_t *name;
	size_t len;
	unsigned labels;
};

static size_t merge_sets(
	const struct overlay *o, const struct wanted *w, int64_t now_s, struct hit hits[], size_t n)
{
	struct hit old[SNAPSHOT_HITS_MAX], of_set[SNAPSHOT_HITS_MAX];
	size_t at = 0, out = 0, m;

	if (!overlay_count(o))
		return n;
	memcpy(old, hits, n * sizeof *hits);
	for (size_t set = 0; set < o->set_count; set++) {
		for (m = 0; at < n && old[at].set == set; at++)
			of_set[m++] = old[at];
		m = w->ip ? merge_address(o, set, w->ip->family == 4 ? FAMILY_IP4 : FAMILY_IP6,
			    w->ip, now_s, of_set, m)
			  : merge_name(o, set, w->name, w->len, w->labels, now_s, of_set, m);
		m = MIN(m, SNAPSHOT_HITS_MAX - out);
		memcpy(hits + out, of_set, m * sizeof *hits);
		out += m;
	}
	return out;
}

size_t overlay_merge_ip4(
	const struct overlay *o, uint32_t address, int64_t now_s, struct hit hits[], size_t n)
{
	struct ip ip = ip4_of(address);

	return merge_sets(o, &(struct wanted){.ip = &ip}, now_s, hits, n);
}

size_t overlay_merge_ip6(const struct overlay *o, const uint8_t address[16], int64_t now_s,
	struct hit hits[], size_t n)
{
	struct ip ip = {.family = 6};

	memcpy(ip.bytes, address, sizeof ip.bytes);
	return merge_sets(o, &(struct wanted){.ip = &ip}, now_s, hits, n);
}

size_t overlay_merge_name(const struct overlay *o, const uint8_t *name, size_t len, unsigned labels,
	int64_t now_s, struct hit hits[], size_t n)
{
	return merge_sets(
		o, &(struct wanted){.name = name, .len = len, .labels = labels}, now_s, hits, n);
}
