/* names.c - domain names in a snapshot: opened, asked, shown. Trusts what names_open() has checked. */
#include "index/names.h"
#include "base/attr.h"
#include "base/domain.h"
#include "base/mem.h"
#include "base/pause.h"
#include "index/hash.h"
#include "index/names_format.h"
#include "index/view.h"

struct names {
	const uint64_t *filter;
	const uint32_t *dir;
	const uint8_t *heap;
	uint64_t self[2], below[2], key;
	uint32_t filter_words, bucket_count, row_base, heap_size;
	uint8_t row_width, deepest;
	uint8_t head; /* of a record: bytes before its name */
	bool has_expires;
};

static inline uint32_t record_row(const struct names *n, const uint8_t *record)
{
	return n->row_base + view_number(record + 1, 0, n->row_width);
}

static uint32_t record_expires(const struct names *n, const uint8_t *record)
{
	uint32_t expires = 0;

	if (n->has_expires)
		memcpy(&expires, record + 1 + n->row_width, 4);
	return expires;
}

static inline const uint8_t *record_name(const struct names *n, const uint8_t *record)
{
	return record + n->head;
}

static inline const uint8_t *record_next(const struct names *n, const uint8_t *record)
{
	return record + n->head + record[0];
}

/* ---- opening ---- */

/* Rows from 0 to before `rows` are known to be good. */
static bool check_record(const struct snapshot *s, const struct names *n, const uint8_t *p,
	const uint8_t *end, uint64_t rows)
{
	return end - p >= n->head && end - p - n->head >= p[0]
	       && (record_row(n, p) - n->row_base < rows
		       || rows_has(s->nodes, s->node_count, record_row(n, p)));
}

static bool check_buckets(const struct snapshot *s, const struct names *n, unsigned row_bits)
{
	const uint8_t *p = n->heap, *end;
	uint64_t rows = (uint64_t)1 << row_bits;

	if (!view_dir_ok(n->dir, n->bucket_count, n->heap_size))
		return false;
	if (!rows_cover(s->nodes, s->node_count, n->row_base, n->row_base + rows))
		rows = 0;
	for (size_t b = 1; b <= n->bucket_count; b++) {
		for (end = n->heap + n->dir[b]; p < end; p = record_next(n, p))
			if (!check_record(s, n, p, end, rows))
				return false;
		pause_every(256, b);
	}
	return true;
}

struct names *names_open(const struct snapshot *s, uint64_t at)
{
	const struct file_names *f = view_part(s, at, 1, sizeof *f, 8);
	struct names *n;

	if (!f || !f->bucket_count || !f->filter_words || !view_width_ok(f->row_width)
		|| f->has_expires > 1 || f->row_bits > 32 || f->deepest > HASH_DEPTH_MAX
		|| f->heap_size > UINT32_MAX)
		return NULL;
	n = mem_new(1, sizeof *n);
	*n = (struct names){
		.filter = view_part(s, f->filter_at, f->filter_words, 8, 8),
		.dir = view_part(s, f->dir_at, (uint64_t)f->bucket_count + 1, 4, 4),
		.heap = view_part(s, f->heap_at, f->heap_size, 1, 1),
		.self = {f->self[0], f->self[1]},
		.below = {f->below[0], f->below[1]},
		.key = hash_key(s->head->seed),
		.filter_words = f->filter_words,
		.bucket_count = f->bucket_count,
		.row_base = f->row_base,
		.heap_size = (uint32_t)f->heap_size,
		.row_width = f->row_width,
		.deepest = f->deepest,
		.head = (uint8_t)(1 + f->row_width + (f->has_expires ? 4 : 0)),
		.has_expires = f->has_expires,
	};
	if (n->filter && n->dir && n->heap && check_buckets(s, n, f->row_bits))
		return n;
	free(n);
	return NULL;
}

void names_close(struct names *n)
{
	free(n);
}

/* ---- asking ---- */

/* The record of a name of `len` bytes without the root label; NULL when there is none. */
static const uint8_t *find_record(
	const struct names *n, uint64_t hash, const uint8_t *name, size_t len)
{
	const uint32_t *bucket = &n->dir[hash_place(hash, n->bucket_count)];
	const uint8_t *p = n->heap + bucket[0], *end = n->heap + bucket[1];

	__builtin_prefetch(p + 64); /* most buckets lie in two lines */
	for (; p < end; p = record_next(n, p))
		if (p[0] == len && memcmp(record_name(n, p), name, len) == 0)
			return p;
	return NULL;
}

/* Those of a record's entries that are in force and whose scope is in `scopes` become hits. */
static size_t take_row(const struct snapshot *s, const struct names *n, const uint8_t *record,
	unsigned labels, unsigned scopes, int64_t now_s, struct hit hits[], size_t count)
{
	uint32_t row = record_row(n, record);

	for (const struct row_node *r; row && count < SNAPSHOT_HITS_MAX; row = r->parent) {
		struct hit *h = &hits[count];

		r = &s->nodes[row];
		h->scope = SCOPE_BOTH - (r->len & SCOPE_BOTH);
		if (!(h->scope & scopes))
			continue;
		h->expires_s = 0;
		if (r->expiry != ROW_NEVER) {
			h->expires_s =
				r->expiry == ROW_OWN ? r[1].value : record_expires(n, record);
			if (h->expires_s && h->expires_s <= now_s)
				continue;
		}
		h->excluded = !r->value;
		h->value = view_text(s, r->value);
		h->set = r->set;
		h->len = (uint8_t)labels;
		count++;
	}
	return count;
}

static inline bool depth_in(const uint64_t depths[2], unsigned d)
{
	return depths[d / 64] >> d % 64 & 1;
}

size_t names_find(const struct snapshot *s, const struct names *n, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[])
{
	struct hash_suffixes suffixes;
	const uint8_t *end = name + len - 1, *record;
	uint64_t wanted[2] = {0}, hash;
	size_t count = 0;
	unsigned top;

	if (!n)
		return 0;
	top = MIN(labels, n->deepest);
	hash_suffixes(&suffixes, name, len, labels, top, n->key);
	for (unsigned d = 0; d <= top; d++) { /* all are on their way before the first is read */
		if (!depth_in(d == labels ? n->self : n->below, d))
			continue;
		wanted[d / 64] |= (uint64_t)1 << d % 64;
		suffixes.hash[d] = hash = hash_end(suffixes.hash[d]);
		__builtin_prefetch(&n->filter[hash_place(hash, n->filter_words)]);
		__builtin_prefetch(&n->dir[hash_place(hash, n->bucket_count)]);
	}
	for (unsigned d = top + 1; d--;) {
		uint64_t bits = names_filter_bits(hash = suffixes.hash[d]);

		if (!depth_in(wanted, d)
			|| (n->filter[hash_place(hash, n->filter_words)] & bits) != bits)
			continue;
		record = find_record(n, hash, suffixes.at[d], (size_t)(end - suffixes.at[d]));
		if (record)
			count = take_row(s, n, record, d, d == labels ? SCOPE_SELF : SCOPE_BELOW,
				now_s, hits, count);
	}
	return count;
}

/* ---- the common case ---- */

void names_way(const struct names *n, const uint8_t *name, size_t len, unsigned labels,
	struct index_way *ret)
{
	const uint8_t *begin = name, *end = name + len, *p;
	unsigned top = MIN(labels, n->deepest), wanted;
	uint64_t h = 0;

	ret->ready = false;
	if (top >= INDEX_WAY_DEPTH)
		return;
	for (; labels > top; labels--)
		name += name[0] + 1;
	/* The whole name may be an entry, of its parents only what has entries below. */
	wanted = name == begin ? (unsigned)(n->self[0] & (uint64_t)1 << top) : 0;
	wanted |= (unsigned)n->below[0] & (name == begin ? (1u << top) - 1 : (2u << top) - 1);
	for (unsigned d = top; d; d--, name += name[0] + 1)
		ret->at[d] = (uint8_t)(name - begin);
	ret->at[0] = (uint8_t)(name - begin);
	ret->hash[0] = 0;
	for (unsigned d = 1; d <= top; d++) {
		size_t size = begin[ret->at[d]] + 1u;

		for (p = begin + ret->at[d]; size > 7; p += 7, size -= 7)
			h = hash_step(h, hash_chunk(p, 7, begin, end), n->key);
		h = hash_step(h, hash_chunk(p, size, begin, end), n->key);
		ret->hash[d] = hash_end(h);
	}
	ret->wanted = (uint8_t)wanted;
	ret->ready = true;
}

static inline bool filter_has(const struct names *n, uint64_t hash)
{
	uint64_t bits = names_filter_bits(hash);

	return (n->filter[hash_place(hash, n->filter_words)] & bits) == bits;
}

/* What a record says that is the only one. */
static enum index_one take_one(const struct snapshot *s, const struct names *n,
	const uint8_t *record, unsigned depth, unsigned scopes, int64_t now_s, struct hit *ret)
{
	const struct row_node *r = &s->nodes[record_row(n, record)];

	if (r->parent)
		return INDEX_MORE;
	if (!take_row(s, n, record, depth, scopes, now_s, ret, 0) || ret->excluded
		|| !s->of_names[ret->set])
		return INDEX_NONE;
	return INDEX_ONE;
}

enum index_one names_find_one(const struct snapshot *s, const struct names *n, const uint8_t *name,
	size_t len, unsigned labels, const struct index_way *way, int64_t now_s, struct hit *ret)
{
	const uint8_t *found = NULL;
	unsigned depth = 0;

	if (!way->ready)
		return INDEX_MORE;
	for (unsigned left = way->wanted; left;) {
		unsigned d = 31 - (unsigned)__builtin_clz(left);
		const uint8_t *record;

		left &= ~(1u << d);
		if (!filter_has(n, way->hash[d]))
			continue;
		record = find_record(n, way->hash[d], name + way->at[d], len - 1 - way->at[d]);
		if (record && found)
			return INDEX_MORE;
		if (record) {
			found = record;
			depth = d;
		}
	}
	return found ? take_one(
		       s, n, found, depth, depth == labels ? SCOPE_SELF : SCOPE_BELOW, now_s, ret)
		     : INDEX_NONE;
}

void names_prefetch(const struct names *n, const struct index_way *way)
{
	for (unsigned left = way->wanted; left; left &= left - 1)
		__builtin_prefetch(
			&n->filter[hash_place(way->hash[__builtin_ctz(left)], n->filter_words)]);
}

void names_prefetch_behind(const struct names *n, const struct index_way *way)
{
	for (unsigned left = way->wanted; left; left &= left - 1) {
		uint64_t hash = way->hash[__builtin_ctz(left)];

		if (filter_has(n, hash))
			__builtin_prefetch(&n->dir[hash_place(hash, n->bucket_count)]);
	}
}

/* ---- showing ---- */

static bool show_record(const struct snapshot *s, const struct names *n, const uint8_t *record,
	bool (*fn)(const struct snapshot_name *e, void *ctx), void *ctx)
{
	struct snapshot_name e = {.at = (uint64_t)(record - n->heap) + 1}; /* 0 is none */
	uint8_t wire[UINT8_MAX + 1];
	uint32_t row = record_row(n, record);

	memcpy(wire, record_name(n, record), record[0]);
	wire[record[0]] = 0;
	if (!domain_from_wire(wire, record[0] + 1u, &e.name))
		return true; /* no lookup finds it either */
	for (const struct row_node *r; row; row = r->parent) {
		r = &s->nodes[row];
		e.scope = SCOPE_BOTH - (r->len & SCOPE_BOTH);
		if (!e.scope)
			continue;
		e.set = r->set;
		e.value = view_text(s, r->value);
		e.excluded = !r->value;
		e.expires_s = r->expiry == ROW_OWN	? r[1].value
			      : r->expiry == ROW_COLUMN ? record_expires(n, record)
							: 0;
		if (!fn(&e, ctx))
			return false;
	}
	return true;
}

bool snapshot_each_name(const struct snapshot *s, uint64_t from,
	bool (*fn)(const struct snapshot_name *e, void *ctx), void *ctx)
{
	const struct names *n = s->names;

	if (!n)
		return true;
	for (const uint8_t *p = n->heap + (from ? from - 1 : 0), *end = n->heap + n->heap_size;
		p < end; p = record_next(n, p))
		if (!show_record(s, n, p, fn, ctx))
			return false;
	return true;
}
