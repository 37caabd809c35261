/* builder.c - collects the entries of sets until they are written. */
#include "base/mem.h"
#include "index/collect.h"
#include "index/hash.h"

struct builder *builder_new(uint64_t serial, const uint8_t seed[16])
{
	struct builder *b = mem_new(1, sizeof *b);

	b->serial = serial;
	memcpy(b->seed, seed, sizeof b->seed);
	b->name_key = hash_key(seed);
	return b;
}

void builder_set_parallel(struct builder *b, const struct parallel *p)
{
	b->parallel = p;
}

const struct parallel *builder_parallel(const struct builder *b)
{
	return b->parallel;
}

void column_table_done(struct column_table *t)
{
	bins_free(t->bins);
	free(t->keys);
	free(t->values);
	free(t->expires);
	*t = (struct column_table){.width = t->width};
}

static void set_free(struct builder_set *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->ip4); i++)
		column_table_done(&s->ip4[i]);
	for (size_t i = 0; i < ARRAY_LEN(s->ip6); i++)
		column_table_done(&s->ip6[i]);
	free(s->names.heap);
	free(s->names.items);
	free(s->values);
	free(s->value_slots);
	free(s->text);
	buf_done(&s->meta);
	free(s);
}

struct builder *builder_free(struct builder *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->set_count; i++)
		set_free(b->sets[i]);
	free(b->sets);
	free(b);
	return NULL;
}

/* Room for one more item of a growing array. */
static void *grown(void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 16;
	return mem_resize(items, *cap * size);
}

struct builder_set *builder_set_new(
	struct builder *b, struct slice name, const struct set_meta *meta)
{
	struct builder_set *s = mem_new(1, sizeof *s);

	s->owner = b;
	s->name_len = MIN(name.len, (size_t)BUILDER_NAME_MAX);
	memcpy(s->name, name.ptr, s->name_len);
	s->meta = BUF_INIT(META_SIZE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(s->ip4); i++)
		s->ip4[i].width = 4;
	for (size_t i = 0; i < ARRAY_LEN(s->ip6); i++)
		s->ip6[i].width = i <= 64 ? 8 : 16;
	builder_set_meta(s, meta);
	b->sets = grown(b->sets, b->set_count, &b->set_cap, sizeof(struct builder_set *));
	b->sets[b->set_count++] = s;
	return s;
}

void builder_set_meta(struct builder_set *s, const struct set_meta *meta)
{
	buf_reset(&s->meta);
	meta_encode(meta, &s->meta);
	s->rule = meta->rule;
}

/* ---- values ---- */

static uint64_t value_hash(const struct builder_set *s, uint32_t code, struct slice text)
{
	return siphash(s->owner->seed, text) ^ code * (uint64_t)0x9e3779b97f4a7c15;
}

/* The half of the hash in a slot saves looking at most values that are others. */
static void value_slot_put(struct builder_set *s, uint32_t id)
{
	uint32_t half = (uint32_t)s->values[id].hash;
	size_t i = half & (s->slot_count - 1);

	while (s->value_slots[i])
		i = (i + 1) & (s->slot_count - 1);
	s->value_slots[i] = (uint64_t)half << 32 | (id + 1);
}

static void value_slots_grow(struct builder_set *s)
{
	free(s->value_slots);
	s->slot_count = s->slot_count ? s->slot_count * 2 : 64;
	s->value_slots = mem_new(s->slot_count, sizeof *s->value_slots);
	for (size_t id = 0; id < s->value_count; id++)
		value_slot_put(s, (uint32_t)id);
}

static size_t text_add(struct builder_set *s, struct slice text)
{
	size_t at = s->text_len;
	/* A text may be a view of this very heap (another value's). */
	bool inside = s->text && text.ptr >= s->text && text.ptr < s->text + s->text_len;
	size_t from = inside ? (size_t)(text.ptr - s->text) : 0;

	if (at + text.len > s->text_cap) {
		s->text_cap = MAX(at + text.len, s->text_cap * 2);
		s->text = mem_resize(s->text, s->text_cap);
	}
	if (text.len)
		memmove(s->text + at, inside ? s->text + from : text.ptr, text.len);
	s->text_len += text.len;
	return at;
}

struct value builder_value_at(const struct builder_set *s, uint32_t id)
{
	const struct built_value *v = &s->values[id];

	return (struct value){
		v->code, v->text_len ? slice_of(s->text + v->text_at, v->text_len) : SLICE_EMPTY};
}

uint32_t builder_value(struct builder_set *s, uint32_t code, struct slice text)
{
	uint64_t hash = value_hash(s, code, text);
	struct built_value *v;

	for (size_t i = (uint32_t)hash; s->slot_count; i++) {
		uint64_t slot = s->value_slots[i & (s->slot_count - 1)];
		uint32_t id = (uint32_t)slot - 1;

		if (!slot)
			break;
		if (slot >> 32 != (uint32_t)hash)
			continue;
		v = &s->values[id];
		if (v->hash == hash && v->code == code
			&& slice_eq(builder_value_at(s, id).text, text))
			return id;
	}
	s->values = grown(s->values, s->value_count, &s->value_cap, sizeof *s->values);
	v = &s->values[s->value_count++];
	*v = (struct built_value){hash, text_add(s, text), (uint32_t)text.len, code};
	if (s->value_count * 2 > s->slot_count)
		value_slots_grow(s);
	else
		value_slot_put(s, (uint32_t)(s->value_count - 1));
	return (uint32_t)(s->value_count - 1);
}

size_t builder_value_count(const struct builder_set *s)
{
	return s->value_count;
}

void builder_value_retext(struct builder_set *s, uint32_t id, struct slice text)
{
	/* The id stays findable under its old text, as whoever adds values later expects. */
	s->values[id].text_at = text_add(s, text);
	s->values[id].text_len = (uint32_t)text.len;
}

/* ---- entries ---- */

/* A column that starts to differ from zero: what was added before gets its zeros now. */
static uint32_t *column_started(const struct column_table *t)
{
	return mem_new(t->cap, sizeof(uint32_t));
}

static void table_grow(struct column_table *t)
{
	t->cap = MAX(t->cap ? t->cap * 2 : 8, t->count + 1);
	t->keys = mem_resize(t->keys, t->cap * t->width);
	if (t->values)
		t->values = mem_resize(t->values, t->cap * sizeof *t->values);
	if (t->expires)
		t->expires = mem_resize(t->expires, t->cap * sizeof *t->expires);
}

/* Keys that are all there is to know of their entries go to bins once they are many. */
static bool to_bins(struct column_table *t)
{
	if (t->bins)
		return true;
	if (t->width != 4 || t->values || t->expires || t->count < BINS_FROM)
		return false;
	t->bins = bins_new();
	bins_add(t->bins, (const uint32_t *)t->keys, t->count);
	free(t->keys);
	t->keys = NULL;
	t->cap = 0;
	return true;
}

static void table_add(struct column_table *t, const void *key, uint32_t value, int64_t expires_s)
{
	uint32_t expires = (uint32_t)MIN(expires_s, (int64_t)UINT32_MAX);

	if (t->bins && (value || expires)) { /* the order among equal keys is kept */
		t->keys = (uint8_t *)bins_take(t->bins, &t->count);
		t->cap = t->count;
		t->bins = NULL;
	}
	if (t->bins || (t->count == t->cap && !value && !expires && to_bins(t))) {
		bins_add(t->bins, key, 1);
		t->count++;
		return;
	}
	if (t->count == t->cap)
		table_grow(t);
	memcpy(t->keys + t->count * t->width, key, t->width);
	if (value && !t->values)
		t->values = column_started(t);
	if (expires && !t->expires)
		t->expires = column_started(t);
	if (t->values)
		t->values[t->count] = value;
	if (t->expires)
		t->expires[t->count] = expires;
	t->count++;
}

void builder_add_ip4(
	struct builder_set *s, uint32_t address, unsigned len, uint32_t value, int64_t expires_s)
{
	table_add(&s->ip4[len], &address, value, expires_s);
}

void builder_add_ip4s(
	struct builder_set *s, const uint32_t *addresses, size_t count, uint32_t value)
{
	struct column_table *t = &s->ip4[32];

	if (!value && to_bins(t)) {
		bins_add(t->bins, addresses, count);
		t->count += count;
		return;
	}
	for (size_t i = 0; i < count; i++)
		table_add(t, &addresses[i], value, 0);
}

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void builder_add_ip6(struct builder_set *s, const uint8_t address[16], unsigned len, uint32_t value,
	int64_t expires_s)
{
	const uint64_t key[2] = {load_be64(address), load_be64(address + 8)};

	table_add(&s->ip6[len], key, value, expires_s);
}

void builder_add_prefix(
	struct builder_set *s, const struct prefix *p, uint32_t value, int64_t expires_s)
{
	if (p->ip.family == 4)
		builder_add_ip4(s, ip4_value(&p->ip), p->len, value, expires_s);
	else
		builder_add_ip6(s, p->ip.bytes, p->len, value, expires_s);
}

void builder_add_range4(
	struct builder_set *s, uint32_t first, uint32_t last, uint32_t value, int64_t expires_s)
{
	uint64_t at = first;

	while (at <= last) {
		unsigned len = 32;

		/* Widen while the block stays aligned and inside the range. */
		while (len > 0 && !(at & ((uint64_t)1 << (32 - len)))
			&& at + ((uint64_t)1 << (33 - len)) - 1 <= last)
			len--;
		builder_add_ip4(s, (uint32_t)at, len, value, expires_s);
		at += (uint64_t)1 << (32 - len);
	}
}

void builder_add_name(struct builder_set *s, const struct domain *name, enum scope scope,
	uint32_t value, int64_t expires_s)
{
	struct name_table *t = &s->names;
	struct name_entry *e;

	if (t->heap_len + name->len > t->heap_cap) {
		t->heap_cap = MAX(t->heap_cap * 2, (size_t)4096);
		t->heap = mem_resize(t->heap, t->heap_cap);
	}
	t->items = grown(t->items, t->count, &t->cap, sizeof *t->items);
	e = &t->items[t->count++];
	*e = (struct name_entry){
		.hash = hash_end(hash_name(name->wire, name->len, s->owner->name_key)),
		.at = t->heap_len,
		.value = value,
		.expires = (uint32_t)MIN(expires_s, (int64_t)UINT32_MAX),
		.len = name->len,
		.scope = (uint8_t)scope,
	};
	memcpy(t->heap + t->heap_len, name->wire, name->len);
	t->heap_len += name->len;
	if (expires_s)
		t->expires = true;
}

uint64_t builder_doubles(const struct builder *b)
{
	return b->doubles;
}
