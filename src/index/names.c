/* names.c - domain names in a snapshot: for each set a hash table of records. */
#include "index/names.h"
#include "base/attr.h"
#include "base/domain.h"
#include "base/mem.h"
#include "index/layout.h"
#include "index/view.h"

#define BITS_MAX 30

/* Of one set; the part is one for each set. Names in 2^bits buckets by the top bits of their hash. A record in the heap: fingerprint u8 (low
 * byte of the hash), scope u8, wire length u8, value (value_width bytes), expires u32 if has_expires,
 * wire bytes. Not aligned. */
struct file_names {
	uint64_t dir_at; /* u32[2^bits + 1]: offsets in the heap; 0: no names */
	uint64_t heap_at, heap_size;
	uint32_t count;
	uint8_t bits;
	uint8_t value_width;
	uint8_t has_expires;
	uint8_t labels_max; /* of any name here */
};

struct names_view {
	const uint32_t *dir; /* NULL: no names */
	const uint8_t *heap;
	uint32_t count;
	uint8_t bits, value_width, labels_max;
	bool has_expires;
};

struct names {
	size_t count;
	struct names_view sets[];
};

/* One record of the names' heap. */
struct name_view {
	uint8_t fingerprint, scope, len;
	uint32_t value, expires;
	const uint8_t *wire;
};

static inline size_t view_name_head(const struct names_view *n)
{
	return 3u + n->value_width + (n->has_expires ? 4u : 0u);
}

/* The record at p, which must hold a whole one; returns the place behind it. */
static inline const uint8_t *view_name(
	const struct names_view *n, const uint8_t *p, struct name_view *ret)
{
	ret->fingerprint = p[0];
	ret->scope = p[1];
	ret->len = p[2];
	p += 3;
	ret->value = view_number(p, 0, n->value_width);
	p += n->value_width;
	ret->expires = 0;
	if (n->has_expires) {
		memcpy(&ret->expires, p, 4);
		p += 4;
	}
	ret->wire = p;
	return p + ret->len;
}

static inline uint64_t bucket_of(uint64_t hash, unsigned bits)
{
	return bits ? hash >> (64 - bits) : 0;
}

/* ---- writing ---- */

static void add_name(
	struct buf *to, const struct name_table *t, const struct name_entry *e, uint8_t width)
{
	char number[4];

	buf_add_u8(to, (uint8_t)e->hash);
	buf_add_u8(to, e->scope);
	buf_add_u8(to, e->len);
	layout_number(number, layout_value(e->value), width);
	buf_add(to, number, width);
	if (t->expires)
		buf_add(to, &e->expires, 4);
	buf_add(to, t->heap + e->at, e->len);
}

static bool add_set(struct buf *to, struct builder_set *s, struct file_names *ret, struct err *err)
{
	struct name_table *t = &s->names;
	struct file_names f = {.value_width = format_width(s->value_count),
		.has_expires = t->expires,
		.labels_max = t->labels_max};
	uint32_t *dir;
	size_t buckets, b = 0;

	if (!t->count)
		return true;
	order_names(t, s->rule);
	while (f.bits < BITS_MAX && ((size_t)1 << f.bits) * 4 < t->count)
		f.bits++;
	buckets = (size_t)1 << f.bits;
	dir = mem_new(buckets + 1, sizeof *dir);
	layout_pad(to);
	f.heap_at = to->len;
	for (size_t i = 0; i < t->count; i++) {
		for (; b <= bucket_of(t->items[i].hash, f.bits); b++)
			dir[b] = (uint32_t)(to->len - f.heap_at);
		add_name(to, t, &t->items[i], f.value_width);
	}
	f.heap_size = to->len - f.heap_at;
	for (; b <= buckets; b++)
		dir[b] = (uint32_t)f.heap_size;
	f.dir_at = layout_add(to, dir, (buckets + 1) * sizeof *dir);
	free(dir);
	if (f.heap_size > UINT32_MAX || t->count > UINT32_MAX)
		return err_set(err, ERR_LIMIT, "set %s: names of more than 4 GiB", s->name);
	f.count = (uint32_t)t->count;
	s->entries += f.count;
	*ret = f;
	free(t->heap);
	free(t->items);
	*t = (struct name_table){0};
	return true;
}

bool names_write(struct builder *b, struct buf *to, uint64_t *ret_at, struct err *err)
{
	struct file_names *sets = mem_new(b->set_count + 1, sizeof *sets);
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < b->set_count; i++) {
		count += b->sets[i]->names.count;
		ok = add_set(to, b->sets[i], &sets[i], err);
	}
	*ret_at = count ? layout_add(to, sets, b->set_count * sizeof *sets) : 0;
	free(sets);
	return ok;
}

/* ---- opening ---- */

static bool check_names(const struct names_view *n, uint64_t heap_size, uint32_t value_count)
{
	const uint8_t *p = n->heap, *end = n->heap + heap_size, *bucket_end;
	const size_t buckets = (size_t)1 << n->bits;
	struct name_view r;
	struct domain d;

	if (!view_dir_ok(n->dir, buckets, heap_size))
		return false;
	for (size_t b = 0; b < buckets; b++) {
		bucket_end = n->heap + n->dir[b + 1];
		while (p < bucket_end) {
			size_t left = (size_t)(bucket_end - p), head = view_name_head(n);

			if (left < head || left - head < p[2])
				return false;
			p = view_name(n, p, &r);
			if (r.value > value_count || r.scope < SCOPE_SELF || r.scope > SCOPE_BOTH
				|| !domain_from_wire(r.wire, r.len, &d))
				return false;
		}
	}
	return p == end;
}

static bool open_set(const struct snapshot *s, const struct set_view *set,
	const struct file_names *f, struct names_view *ret)
{
	struct names_view n;

	if (!f->dir_at)
		return true;
	if (f->bits > BITS_MAX || !view_width_ok(f->value_width))
		return false;
	n = (struct names_view){
		.dir = view_part(s, f->dir_at, ((uint64_t)1 << f->bits) + 1, 4, 4),
		.heap = view_part(s, f->heap_at, f->heap_size, 1, 1),
		.count = f->count,
		.bits = f->bits,
		.value_width = f->value_width,
		.labels_max = f->labels_max,
		.has_expires = f->has_expires,
	};
	if (!n.dir || !n.heap || !check_names(&n, f->heap_size, set->value_count))
		return false;
	*ret = n;
	return true;
}

struct names *names_open(const struct snapshot *s, uint64_t at)
{
	const size_t count = s->head->set_count;
	const struct file_names *f = view_part(s, at, count, sizeof *f, 8);
	struct names *n;

	if (!f)
		return NULL;
	n = mem_new(1, sizeof *n + count * sizeof n->sets[0]);
	n->count = count;
	for (size_t i = 0; i < count; i++) {
		if (!open_set(s, &s->sets[i], &f[i], &n->sets[i])) {
			free(n);
			return NULL;
		}
	}
	return n;
}

void names_close(struct names *n)
{
	free(n);
}

/* ---- asking ---- */

/* Records of one name (a suffix of the question, `labels` labels) whose scope is in `scopes`. */
static size_t take_names(const struct snapshot *s, size_t set, const struct names_view *v,
	const uint8_t *name, size_t len, unsigned labels, unsigned scopes, int64_t now_s,
	struct hit hits[], size_t n)
{
	uint64_t hash = format_name_hash(s->head->seed, name, len);
	uint64_t bucket = bucket_of(hash, v->bits);
	const uint8_t *p = v->heap + v->dir[bucket], *end = v->heap + v->dir[bucket + 1];
	struct name_view r;

	while (p < end && n < SNAPSHOT_HITS_MAX) {
		p = view_name(v, p, &r);
		if (r.fingerprint != (uint8_t)hash || r.len != len || !(r.scope & scopes)
			|| memcmp(r.wire, name, len) != 0 || (r.expires && r.expires <= now_s))
			continue;
		view_value(s, set, r.value, &hits[n]);
		hits[n].len = (uint8_t)labels;
		hits[n].scope = r.scope;
		hits[n++].expires_s = r.expires;
	}
	return n;
}

static size_t find_in_set(const struct snapshot *s, size_t set, const struct names_view *v,
	const uint8_t *name, size_t len, unsigned labels, int64_t now_s, struct hit hits[],
	size_t n)
{
	unsigned scopes = SCOPE_SELF;

	if (!v->dir)
		return n;
	for (;;) {
		if (labels <= v->labels_max)
			n = take_names(s, set, v, name, len, labels, scopes, now_s, hits, n);
		if (!labels)
			return n;
		scopes = SCOPE_BELOW;
		len -= name[0] + 1u;
		name += name[0] + 1u;
		labels--;
	}
}

size_t names_find(const struct snapshot *s, const struct names *names, const uint8_t *name,
	size_t len, unsigned labels, int64_t now_s, struct hit hits[])
{
	size_t n = 0;

	for (size_t set = 0; names && set < names->count; set++)
		n = find_in_set(s, set, &names->sets[set], name, len, labels, now_s, hits, n);
	return n;
}

/* ---- all of them ---- */

#define SET_SHIFT 40 /* of a place: the set, then the offset in its heap, and one more: 0 is none */

struct each_name {
	const struct snapshot *s;
	bool (*fn)(const struct snapshot_name *e, void *ctx);
	void *ctx;
	struct snapshot_name e;
};

/* The entries of one scope of the name e->e.name in one set. *ret_before: one of any scope is there, before
 * `stop` if it is not NULL. */
static bool show_scope(
	struct each_name *e, size_t set, unsigned scope, const uint8_t *stop, bool *ret_before)
{
	const struct names_view *v = &e->s->names->sets[set];
	const struct domain *name = &e->e.name;
	uint64_t hash = format_name_hash(e->s->head->seed, name->wire, name->len), bucket;
	const uint8_t *p, *end;
	struct name_view r;
	struct hit hit;

	if (!v->dir)
		return true;
	bucket = bucket_of(hash, v->bits);
	p = v->heap + v->dir[bucket];
	for (end = v->heap + v->dir[bucket + 1]; p < end && p != stop;) {
		p = view_name(v, p, &r);
		if (r.len != name->len || memcmp(r.wire, name->wire, r.len) != 0)
			continue;
		*ret_before = true;
		if (r.scope != scope)
			continue;
		view_value(e->s, set, r.value, &hit);
		e->e.scope = scope;
		e->e.set = (uint16_t)set;
		e->e.value = hit.value;
		e->e.excluded = hit.excluded;
		e->e.expires_s = r.expires;
		if (!e->fn(&e->e, e->ctx))
			return false;
	}
	return true;
}

/* The name of the record at p, unless it was shown before. */
static bool show_name(struct each_name *e, size_t set, const uint8_t *p, const struct name_view *r)
{
	const size_t count = e->s->names->count;
	bool before = false;

	domain_from_wire(r->wire, r->len, &e->e.name);
	e->e.at = ((uint64_t)set << SET_SHIFT) + (uint64_t)(p - e->s->names->sets[set].heap) + 1;
	for (size_t i = 0; i <= set && !before; i++)
		show_scope(e, i, 0, i == set ? p : NULL, &before);
	for (unsigned scope = SCOPE_SELF; !before && scope <= SCOPE_BOTH; scope++) {
		bool any = false;

		for (size_t i = set; i < count; i++)
			if (!show_scope(e, i, scope, NULL, &any))
				return false;
	}
	return true;
}

bool snapshot_each_name(const struct snapshot *s, uint64_t from,
	bool (*fn)(const struct snapshot_name *e, void *ctx), void *ctx)
{
	struct each_name e = {.s = s, .fn = fn, .ctx = ctx};
	size_t first = from ? (size_t)((from - 1) >> SET_SHIFT) : 0;

	for (size_t set = first; s->names && set < s->names->count; set++) {
		const struct names_view *v = &s->names->sets[set];
		const uint8_t *p, *next, *end;
		struct name_view r;

		if (!v->dir)
			continue;
		p = v->heap;
		if (from && set == first)
			p += (from - 1) & (((uint64_t)1 << SET_SHIFT) - 1);
		for (end = v->heap + v->dir[(size_t)1 << v->bits]; p < end; p = next) {
			next = view_name(v, p, &r);
			if (!show_name(&e, set, p, &r))
				return false;
		}
	}
	return true;
}
