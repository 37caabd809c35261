/* overlay.c - hash tables that one thread changes while others read them: records never change once
 * they can be seen (but for where the next one of their key is), places and tables are swapped whole,
 * what was swapped out waits for a grace period. One table for each family holds all sets: the records
 * of one key hang in a chain by set and scope, so a question costs one probe for each length in use. */
#include "base/attr.h"
#include "base/mem.h"
#include "index/overlay_parts.h"
#include "index/snapshot.h"

#define TABLE_FIRST 64 /* slots of a new table; a power of two */

struct overlay *overlay_new(const struct snapshot *s)
{
	struct overlay *o = mem_new(1, sizeof *o);

	o->key = hash_key(snapshot_seed(s));
	return o;
}

static void retired_free(struct retired *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i]);
	free(r->items);
	*r = (struct retired){0};
}

static void table_free(struct table *t)
{
	struct record *next;

	for (size_t i = 0; t && i < t->size; i++) {
		for (struct record *r = atomic_load(&t->slots[i]); r; r = next) {
			next = atomic_load(&r->next);
			free(r);
		}
	}
	free(t);
}

struct overlay *overlay_free(struct overlay *o)
{
	if (!o)
		return NULL;
	for (size_t f = 0; f < FAMILIES; f++)
		table_free(atomic_load(&o->families[f].table));
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

/* ---- the writer ---- */

static struct table *table_new(size_t size)
{
	struct table *t = mem_new(1, sizeof *t + size * (sizeof t->slots[0] + 1));

	t->size = size;
	t->tags = (_Atomic uint8_t *)(t->slots + size);
	return t;
}

/* A chain whose key is not there yet. */
static void table_add(struct table *t, struct record *r)
{
	size_t i = first_slot(t, r->hash);

	while (atomic_load_explicit(&t->tags[i], memory_order_relaxed))
		i = (i + 1) & (t->size - 1);
	atomic_store_explicit(&t->slots[i], r, memory_order_release);
	atomic_store_explicit(&t->tags[i], hash_tag(r->hash), memory_order_release);
	t->count++;
}

/* Room for one more key. */
static struct table *table_with_room(struct overlay *o, size_t family)
{
	struct table *old = table_of(o, family), *t;

	if (old && (old->count + 1) * 2 <= old->size)
		return old;
	t = table_new(old ? old->size * 2 : TABLE_FIRST);
	for (size_t i = 0; old && i < old->size; i++) {
		struct record *r = atomic_load_explicit(&old->slots[i], memory_order_relaxed);

		if (r)
			table_add(t, r);
	}
	atomic_store_explicit(&o->families[family].table, t, memory_order_release);
	retire(o, old);
	return t;
}

static bool before(const struct record *a, const struct record *b)
{
	return a->set < b->set || (a->set == b->set && a->scope < b->scope);
}

/* Puts r into its key's chain, in the place of the one of its set and scope. */
static void put_record(struct overlay *o, size_t family, const struct key *k, struct record *r)
{
	struct table *t = table_with_room(o, family);
	record_slot *at = slot_of(t, k);
	struct record *there;

	if (!at) {
		table_add(t, r);
		atomic_fetch_add_explicit(&o->count, 1, memory_order_relaxed);
		return;
	}
	while ((there = atomic_load_explicit(at, memory_order_relaxed)) && before(there, r))
		at = &there->next;
	if (there && !before(r, there)) {
		atomic_init(&r->next, next_of(there));
		atomic_store_explicit(at, r, memory_order_release);
		retire(o, there);
		return;
	}
	atomic_init(&r->next, there);
	atomic_store_explicit(at, r, memory_order_release);
	atomic_fetch_add_explicit(&o->count, 1, memory_order_relaxed);
}

static void put(struct overlay *o, size_t set, size_t family, unsigned scope, const struct key *k,
	const struct value *listed, int64_t expires_s)
{
	struct slice text = listed ? listed->text : SLICE_EMPTY;
	struct record *r = mem_new(1, sizeof *r + k->key_len + text.len);

	r->hash = k->hash;
	r->expires_s = expires_s;
	r->code = listed ? listed->code : 0;
	r->text_len = (uint32_t)text.len;
	r->set = (uint16_t)set;
	r->listed = listed != NULL;
	r->len = k->len;
	r->scope = (uint8_t)scope;
	r->key_len = k->key_len;
	memcpy(r->bytes, k->bytes, k->key_len);
	memcpy(r->bytes + k->key_len, text.ptr, text.len);
	put_record(o, family, k, r);
	atomic_fetch_or_explicit(&o->families[family].lens[k->len / 64], (uint64_t)1 << k->len % 64,
		memory_order_release);
}

void overlay_put_prefix(struct overlay *o, size_t set, const struct prefix *key,
	const struct value *listed, int64_t expires_s)
{
	struct key k = key_of_prefix(o, key);

	put(o, set, key->ip.family == 4 ? FAMILY_IP4 : FAMILY_IP6, key->ip.family, &k, listed,
		expires_s);
}

void overlay_put_name(struct overlay *o, size_t set, const struct domain *name, enum scope scope,
	const struct value *listed, int64_t expires_s)
{
	struct key k = key_of_name(o, name);

	put(o, set, FAMILY_NAME, scope, &k, listed, expires_s);
}

/* ---- whole ---- */

static struct record *chain_copy(const struct record *r)
{
	struct record *first = NULL, *copy;
	record_slot *end = NULL;

	for (; r; r = next_of(r)) {
		size_t size = sizeof *r + r->key_len + r->text_len;

		copy = mem_new(1, size);
		memcpy((char *)copy + sizeof copy->next, (const char *)r + sizeof r->next,
			size - sizeof r->next);
		if (end)
			atomic_init(end, copy);
		else
			first = copy;
		end = &copy->next;
	}
	return first;
}

struct overlay *overlay_copy(const struct overlay *o)
{
	struct overlay *copy = mem_new(1, sizeof *copy);

	copy->key = o->key;
	atomic_init(&copy->count, overlay_count(o));
	for (size_t f = 0; f < FAMILIES; f++) {
		struct table *from = table_of(o, f), *t;

		for (unsigned word = 0; word < ARRAY_LEN(copy->families[f].lens); word++)
			atomic_init(&copy->families[f].lens[word], lens_of(o, f, word));
		if (!from)
			continue;
		t = table_new(from->size);
		t->count = from->count;
		for (size_t i = 0; i < t->size; i++) {
			const struct record *r = atomic_load(&from->slots[i]);

			if (!r)
				continue;
			atomic_init(&t->slots[i], chain_copy(r));
			atomic_init(&t->tags[i], hash_tag(r->hash));
		}
		atomic_init(&copy->families[f].table, t);
	}
	return copy;
}

static bool has(
	const struct overlay *o, size_t family, size_t set, unsigned scope, const struct key *k)
{
	struct table *t = table_of(o, family);
	record_slot *slot = t ? slot_of(t, k) : NULL;
	const struct record *r = slot ? atomic_load_explicit(slot, memory_order_acquire) : NULL;

	while (r && (r->set != set || r->scope != scope))
		r = next_of(r);
	return r;
}

bool overlay_has_prefix(const struct overlay *o, size_t set, const struct prefix *key)
{
	struct key k = key_of_prefix(o, key);

	return has(o, key->ip.family == 4 ? FAMILY_IP4 : FAMILY_IP6, set, key->ip.family, &k);
}

bool overlay_has_name(
	const struct overlay *o, size_t set, const struct domain *name, enum scope scope)
{
	struct key k = key_of_name(o, name);

	return has(o, FAMILY_NAME, set, scope, &k);
}

static void entry_of(const struct record *r, size_t family, struct overlay_entry *ret)
{
	ret->set = r->set;
	ret->is_name = family == FAMILY_NAME;
	ret->listed = r->listed;
	ret->value = (struct value){r->code, slice_of(r->bytes + r->key_len, r->text_len)};
	ret->expires_s = r->expires_s;
	if (ret->is_name) {
		ret->scope = r->scope;
		ret->name.len = r->key_len;
		ret->name.labels = r->len;
		memcpy(ret->name.wire, r->bytes, r->key_len);
		return;
	}
	ret->prefix = (struct prefix){.ip = {.family = r->scope}, .len = r->len};
	memcpy(ret->prefix.ip.bytes, r->bytes, r->key_len);
}

bool overlay_next(const struct overlay *o, struct overlay_cursor *c, struct overlay_entry *ret)
{
	for (; c->family < FAMILIES; c->family++, c->slot = 0) {
		struct table *t = table_of(o, c->family);

		while (!c->next && t && c->slot < t->size)
			c->next = atomic_load_explicit(&t->slots[c->slot++], memory_order_acquire);
		if (c->next) {
			entry_of(c->next, c->family, ret);
			c->next = next_of(c->next);
			return true;
		}
	}
	return false;
}
