/* content_walk.c - addresses as records: blocks on label borders, depth first. A block that holds keys of
 * its own is walked through; one that does not says the same for all its addresses: one wildcard. */
#include "dnsd/content/content_private.h"

#include "base/mem.h"

#include <stdlib.h>

#define DEPTHS 33

struct level {		     /* a block that is being walked through */
	bool covered;	     /* something is said to all of it */
	bool wild;	     /* by a wildcard, which stands for children without keys */
	bits128 partial_end; /* keys between this depth and the next reach to here */
	bool has_partial;
};

struct ip_walk {
	const struct content *content;
	const struct content_place *place;
	struct block at;
	bits128 last; /* of the range that is walked */
	unsigned top; /* depth it began at */
	bool ended;
	struct key_stream keys;
	struct level levels[DEPTHS];
};

/* The label that the block has at depth d (0: the first of the address). */
static unsigned label_of(const struct block *b, unsigned d)
{
	unsigned shift = 128 - (d + 1) * b->family->step;

	return (unsigned)(b->at >> shift) & ((1u << b->family->step) - 1);
}

/* A wildcard here would answer for names of the other family. */
static bool is_ambiguous(const struct block *b)
{
	if (b->depth >= b->family->depth)
		return false;
	if (b->depth < b->family->wild_from)
		return true;
	if (!b->family->wild_nibbles)
		return false;
	for (unsigned d = 0; d < b->depth; d++)
		if (label_of(b, d) > 9)
			return false;
	return true;
}

static struct block child_of(const struct block *b, unsigned i)
{
	struct block c = *b;

	c.depth++;
	c.at |= (bits128)i << (128 - block_bits(&c));
	return c;
}

/* ---- around exclusions ---- */

/* Some name of the block gets a record. */
static bool has_records(
	const struct content *c, const struct content_place *p, const struct block *b)
{
	struct said said;

	if (b->depth == b->family->depth || !content_has_inside(c, p, b)) {
		content_ask(p, b, &said);
		return said.count > 0;
	}
	for (unsigned i = 0; i < 1u << b->family->step; i++) {
		struct block child = child_of(b, i);
		if (has_records(c, p, &child))
			return true;
	}
	return false;
}

/* Only then a wildcard can stand for the rest. Our own lists exclude nothing but test entries. */
static bool all_children_have_records(
	const struct content *c, const struct content_place *p, const struct block *b)
{
	bool may_exclude = false;

	for (size_t i = 0; i < p->part_count; i++)
		may_exclude = may_exclude || !p->parts[i].list;
	if (!may_exclude && b->depth + 1 < b->family->depth)
		return true;
	for (unsigned i = 0; i < 1u << b->family->step; i++) {
		struct block child = child_of(b, i);
		if (!has_records(c, p, &child))
			return false;
	}
	return true;
}

static bool is_wild(const struct content *c, const struct content_place *p, const struct block *b,
	const struct said *said)
{
	return said->count && !is_ambiguous(b) && all_children_have_records(c, p, b);
}

/* ---- walking ---- */

/* Keys at the block's first address that are no longer than it; those longer than its parent reach to
 * brothers. */
static bool take_keys(struct ip_walk *w)
{
	unsigned bits = block_bits(&w->at), len;
	struct level *parent = w->at.depth ? &w->levels[w->at.depth - 1] : NULL;
	bits128 at;

	while (key_stream_peek(&w->keys, &at, &len)) {
		if (at > block_last(&w->at))
			return false;
		if (at > w->at.at || len > bits)
			return true;
		if (parent && len > bits - w->at.family->step && len < bits) {
			bits128 end = at | (((bits128)1 << (128 - len)) - 1);
			if (!parent->has_partial || end > parent->partial_end)
				parent->partial_end = end;
			parent->has_partial = true;
		}
		w->keys.next++;
	}
	return false;
}

static bool same_as_parent(const struct ip_walk *w, const struct said *said)
{
	struct block parent = w->at;
	struct said above;

	parent.depth--;
	parent.at &= block_bits(&parent) ? ~(bits128)0 << (128 - block_bits(&parent)) : 0;
	content_ask(w->place, &parent, &above);
	return said_same(&above, said);
}

static void enter(struct ip_walk *w, const struct said *said, bool wild)
{
	w->levels[w->at.depth] = (struct level){.covered = said->count > 0, .wild = wild};
	w->at.depth++;
}

/* From the block on to the next that may say something of its own. */
static void advance(struct ip_walk *w)
{
	bits128 last = block_last(&w->at), at;
	unsigned len;

	for (;;) {
		struct level *l;
		struct block parent = w->at;
		if (last >= w->last || w->at.depth == w->top) {
			w->ended = w->ended || last >= w->last;
			if (w->ended)
				return;
		}
		parent.depth--;
		parent.at &= block_bits(&parent) ? ~(bits128)0 << (128 - block_bits(&parent)) : 0;
		if (last == block_last(&parent)) { /* the parent is done */
			w->at = parent;
			continue;
		}
		w->at.at = last + 1;
		l = &w->levels[w->at.depth - 1];
		if ((l->covered && !l->wild) || (l->has_partial && l->partial_end > last))
			return;
		/* Nothing until the next key. */
		if (!key_stream_peek(&w->keys, &at, &len)) {
			if (w->at.depth == 1) {
				w->ended = true;
				return;
			}
			at = ~(bits128)0;
		}
		if (at > block_last(&parent)) {
			last = block_last(&parent);
			w->at = parent;
			continue;
		}
		if (at > w->at.at)
			w->at.at = at & (~(bits128)0 << (128 - block_bits(&w->at)));
		return;
	}
}

static void step(struct ip_walk *w, struct buf *to)
{
	bool inside = take_keys(w), ambiguous = is_ambiguous(&w->at), wild;
	struct said said;

	content_ask(w->place, &w->at, &said);
	if (inside || (ambiguous && said.count)) {
		wild = is_wild(w->content, w->place, &w->at, &said);
		if (wild)
			content_put_block(w->place, &w->at, &said, to);
		enter(w, &said, wild);
		return;
	}
	if (said.count
		&& !(w->at.depth && w->levels[w->at.depth - 1].wild && same_as_parent(w, &said)))
		content_put_block(w->place, &w->at, &said, to);
	if (w->at.depth == 0)
		w->ended = true;
	else
		advance(w);
}

/* A policy zone has a trigger for each key. */
static void policy_step(struct ip_walk *w, struct buf *to)
{
	bits128 at;
	unsigned len;

	w->ended = !key_stream_peek(&w->keys, &at, &len);
	if (w->ended)
		return;
	policy_put_prefix(w->place, w->at.family, at, len, to);
	w->keys.next++;
}

static void walk_start(struct ip_walk *w, const struct content *c, const struct content_place *p,
	const struct family *f)
{
	*w = (struct ip_walk){.content = c, .place = p, .at = {.family = f}, .last = ~(bits128)0};
	key_stream_start(&w->keys, c, p, f, 0, KEYS_AT_ONCE);
}

/* ---- everything ---- */

struct content_walk {
	const struct content *content;
	size_t place;
	unsigned part; /* IPv4, IPv6, names */
	bool records_done;
	bool started;
	struct ip_walk ip;
	struct names_walk *names;
};

struct content_walk *content_walk_new(const struct content *c)
{
	struct content_walk *w = mem_new(1, sizeof *w);

	w->content = c;
	return w;
}

struct content_walk *content_walk_free(struct content_walk *w)
{
	if (!w)
		return NULL;
	names_walk_free(w->names);
	free(w);
	return NULL;
}

static bool ip_more(
	struct content_walk *w, const struct content_place *p, size_t least, struct buf *to)
{
	if (!p->has_ip)
		return false;
	if (!w->started)
		walk_start(&w->ip, w->content, p, w->part == 0 ? &family_ip4 : &family_ip6);
	w->started = true;
	while (!w->ip.ended && to->len < least)
		if (p->policy)
			policy_step(&w->ip, to);
		else
			step(&w->ip, to);
	return !w->ip.ended;
}

static bool names_more(
	struct content_walk *w, const struct content_place *p, size_t least, struct buf *to)
{
	if (!p->has_names)
		return false;
	if (!w->started)
		w->names = names_walk_new(w->content, p);
	w->started = true;
	if (names_walk_more(w->names, least, to))
		return true;
	w->names = names_walk_free(w->names);
	return false;
}

bool content_walk_more(struct content_walk *w, size_t least, struct buf *to)
{
	if (!w->records_done)
		buf_add_slice(to, buf_slice(&w->content->records));
	w->records_done = true;
	while (w->place < w->content->place_count && to->len < least) {
		const struct content_place *p = &w->content->places[w->place];
		if (w->part < 2 ? ip_more(w, p, least, to) : names_more(w, p, least, to))
			return true;
		w->started = false;
		w->part = (w->part + 1) % 3;
		if (w->part == 0)
			w->place++;
	}
	return w->place < w->content->place_count;
}

/* ---- one prefix ---- */

/* The blocks above the key, from the root down, as a walk would come by them. False: one of them says the
 * same for all it holds, so that nothing below it gets records. */
static bool put_path(struct ip_walk *w, const struct prefix *key, struct buf *to)
{
	struct block *b = &w->at;
	struct said said;

	for (; block_bits(b) < key->len;) {
		bool covered, inside;
		b->at = bits_of(&key->ip);
		b->at &= block_bits(b) ? ~(bits128)0 << (128 - block_bits(b)) : 0;
		content_ask(w->place, b, &said);
		covered = said.count > 0;
		/* Where nothing is said it makes no difference. */
		inside = !covered || is_ambiguous(b) || content_has_inside(w->content, w->place, b);
		if (!inside) {
			if (!(b->depth && w->levels[b->depth - 1].wild && same_as_parent(w, &said)))
				content_put_block(w->place, b, &said, to);
			return false;
		}
		if (covered && is_wild(w->content, w->place, b, &said)) {
			content_put_block(w->place, b, &said, to);
			enter(w, &said, true);
		} else {
			enter(w, &said, false);
		}
	}
	b->at = bits_of(&key->ip);
	return true;
}

static void put_around(const struct content *c, const struct content_place *p,
	const struct prefix *key, struct buf *to)
{
	struct ip_walk *w = mem_new(1, sizeof *w);

	*w = (struct ip_walk){.content = c,
		.place = p,
		.at = {.family = key->ip.family == 4 ? &family_ip4 : &family_ip6}};
	if (put_path(w, key, to)) {
		w->last =
			key->len ? w->at.at | (((bits128)1 << (128 - key->len)) - 1) : ~(bits128)0;
		w->top = w->at.depth;
		/* Within it, and to its end: brothers that it does not reach are not asked. */
		w->levels[w->top ? w->top - 1 : 0].has_partial = true;
		w->levels[w->top ? w->top - 1 : 0].partial_end = w->last;
		key_stream_start(&w->keys, c, p, w->at.family, w->at.at,
			key->len == ip_bits(key->ip.family) ? 8 : KEYS_AT_ONCE);
		while (!w->ended && !to->failed)
			step(w, to);
	}
	free(w);
}

bool content_put_around_prefix(const struct content *c, const struct prefix *key, struct buf *to)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i].policy)
			policy_put_around_prefix(c, &c->places[i], key, to);
		else if (c->places[i].has_ip)
			put_around(c, &c->places[i], key, to);
	return !to->failed;
}
