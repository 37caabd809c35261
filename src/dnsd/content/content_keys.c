/* content_keys.c - which keys a place's sets hold, snapshot and changes together, by address. */
#include "dnsd/content/content_private.h"

#include "base/attr.h"
#include "base/mem.h"

#include <stdlib.h>

static int compare_keys(const struct content_key *a, const struct content_key *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->len != b->len ? (int)a->len - (int)b->len : (int)a->set - (int)b->set;
}

static int compare_keys_qsort(const void *a, const void *b)
{
	return compare_keys(a, b);
}

static struct content_key key_of(size_t set, const struct prefix *p, bool listed)
{
	return (struct content_key){bits_of(&p->ip), (uint16_t)set, p->ip.family, p->len, listed};
}

void content_keys_add(struct content *c, const struct index *ix)
{
	struct content_keys *k;
	struct overlay_cursor cursor = {0};
	struct overlay_entry e;

	for (size_t i = 0; i < c->key_count; i++)
		if (c->keys[i].index == ix)
			return;
	c->keys = mem_resize(c->keys, (c->key_count + 1) * sizeof *c->keys);
	k = &c->keys[c->key_count++];
	*k = (struct content_keys){.index = ix};
	while (ix->overlay && overlay_next(ix->overlay, &cursor, &e)) {
		if (e.is_name)
			continue;
		if (k->count == k->cap) {
			k->cap = k->cap ? k->cap * 2 : 64;
			k->items = mem_resize(k->items, k->cap * sizeof *k->items);
		}
		k->items[k->count++] = key_of(e.set, &e.prefix, e.listed);
	}
	if (k->count > 1)
		qsort(k->items, k->count, sizeof *k->items, compare_keys_qsort);
}

/* The first place in k that is not below. */
static size_t keys_at(const struct content_keys *k, const struct content_key *key)
{
	size_t lo = 0, hi = k->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare_keys(&k->items[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void content_changed_prefix(struct content *c, const struct index *ix, size_t set,
	const struct prefix *prefix, bool listed)
{
	struct content_key key = key_of(set, prefix, listed);

	for (size_t i = 0; i < c->key_count; i++) {
		struct content_keys *k = &c->keys[i];
		size_t at;
		if (k->index != ix)
			continue;
		at = keys_at(k, &key);
		if (at < k->count && compare_keys(&k->items[at], &key) == 0) {
			k->items[at].listed = listed;
			return;
		}
		if (k->count == k->cap) {
			k->cap = k->cap ? k->cap * 2 : 64;
			k->items = mem_resize(k->items, k->cap * sizeof *k->items);
		}
		memmove(k->items + at + 1, k->items + at, (k->count - at) * sizeof *k->items);
		k->items[at] = key;
		k->count++;
	}
}

static int compare_to(bits128 at, unsigned len, bits128 other_at, unsigned other_len)
{
	if (at != other_at)
		return at < other_at ? -1 : 1;
	return (int)len - (int)other_len;
}

static bool set_is_here(const struct content_place *p, const struct index *ix, size_t set)
{
	for (size_t i = 0; i < p->part_count; i++)
		if (p->parts[i].index == ix && p->parts[i].set == set)
			return true;
	return false;
}

struct reading {
	struct key_stream *stream;
	const struct content_keys *keys;
	bits128 after; /* keys up to this one were there before */
	int after_len; /* -1: those at `after` are wanted, too */
	bool full;
};

/* Puts a key where it belongs; what no longer fits at the end comes again when it is its turn. */
static void stream_put(struct key_stream *s, struct reading *r, bits128 at, unsigned len)
{
	size_t i = s->count;

	if (at < r->after || (at == r->after && (int)len <= r->after_len))
		return;
	while (i > 0 && compare_to(at, len, s->items[i - 1].at, s->items[i - 1].len) < 0)
		i--;
	if (i > 0 && compare_to(at, len, s->items[i - 1].at, s->items[i - 1].len) == 0)
		return;
	if (i == s->room) {
		r->full = true;
		return;
	}
	if (s->count == s->room) {
		r->full = true;
		s->count--;
	}
	memmove(&s->items[i + 1], &s->items[i], (s->count - i) * sizeof s->items[0]);
	s->items[i].at = at;
	s->items[i].len = (uint8_t)len;
	s->count++;
}

static bool beyond(const struct key_stream *s, bits128 at)
{
	return s->count == s->room && at > s->items[s->count - 1].at;
}

static bool take_prefix(const struct snapshot_prefix *p, void *ctx)
{
	struct reading *r = ctx;
	struct content_key key = {
		.family = p->prefix.ip.family, .len = p->prefix.len, .set = p->set};
	size_t i;

	if (p->prefix.ip.family != r->stream->family->number)
		return p->prefix.ip.family < r->stream->family->number;
	key.at = bits_of(&p->prefix.ip);
	if (beyond(r->stream, key.at)) {
		r->full = true;
		return false;
	}
	if (!set_is_here(r->stream->place, r->keys->index, p->set))
		return true;
	i = keys_at(r->keys, &key);
	if (i == r->keys->count || compare_keys(&r->keys->items[i], &key) != 0)
		stream_put(r->stream, r, key.at, key.len);
	return true;
}

static void take_changes(struct reading *r)
{
	struct content_key from = {.family = r->stream->family->number, .at = r->after};

	for (size_t i = keys_at(r->keys, &from); i < r->keys->count; i++) {
		const struct content_key *k = &r->keys->items[i];
		if (k->family != from.family)
			return;
		if (beyond(r->stream, k->at)) {
			r->full = true;
			return;
		}
		if (k->listed && set_is_here(r->stream->place, r->keys->index, k->set))
			stream_put(r->stream, r, k->at, k->len);
	}
}

/* Test entries are names of their own, whatever the data says. */
static void take_points(struct reading *r)
{
	const struct content_place *p = r->stream->place;
	bool ip4 = r->stream->family->number == 4;

	for (size_t i = 0; i < p->part_count; i++) {
		const struct served_list *list = p->parts[i].list;
		if (!list || list->kind != SET_IP)
			continue;
		const uint32_t points[] = {0x7f000001, 0x7f000002, list->code};
		for (size_t k = 0; k < ARRAY_LEN(points); k++) {
			bits128 at =
				ip4 ? (bits128)points[k] << 96 : (bits128)0xffff << 32 | points[k];
			stream_put(r->stream, r, at, ip4 ? 32 : 128);
		}
	}
}

static void fill(struct key_stream *s, bits128 after, int after_len)
{
	struct reading r = {.stream = s, .after = after, .after_len = after_len};
	struct ip from = bits_ip(s->family, after);

	s->count = s->next = 0;
	take_points(&r);
	for (size_t i = 0; i < s->content->key_count; i++) {
		r.keys = &s->content->keys[i];
		take_changes(&r);
		snapshot_each_prefix(r.keys->index->snapshot, &from, take_prefix, &r);
	}
	s->at_end = !r.full;
}

void key_stream_start(struct key_stream *s, const struct content *c, const struct content_place *p,
	const struct family *f, bits128 from, size_t room)
{
	s->room = room;
	s->content = c;
	s->place = p;
	s->family = f;
	fill(s, from, -1);
}

bool key_stream_peek(struct key_stream *s, bits128 *ret_at, unsigned *ret_len)
{
	if (s->next == s->count) {
		if (s->at_end)
			return false;
		fill(s, s->items[s->count - 1].at, s->items[s->count - 1].len);
		if (s->count == 0)
			return false;
	}
	*ret_at = s->items[s->next].at;
	*ret_len = s->items[s->next].len;
	return true;
}

bool content_has_inside(
	const struct content *c, const struct content_place *p, const struct block *b)
{
	struct key_stream s;
	bits128 at;
	unsigned len;

	key_stream_start(&s, c, p, b->family, b->at, 8);
	while (key_stream_peek(&s, &at, &len) && at <= block_last(b)) {
		if (len > block_bits(b))
			return true;
		s.next++;
	}
	return false;
}
