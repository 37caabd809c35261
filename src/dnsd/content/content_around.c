/* content_around.c - which domain names' records come or go with one entry: its own, those of names between
 * it and what covers it, and those of names below it. Which names lie below another, no index tells; filters
 * say where there are none, which is nearly always, and else all names are searched. */
#include "dnsd/content/content_names.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "dnsd/answer/rr_list.h"

#include <stdlib.h>

#define FILTER_BITS 16 /* for each name: one in ten thousand is searched for in vain */
#define FILTER_PROBES 5
#define FILTER_SPARE 65536 /* names that come later */
#define NAMES_MAX 2000	   /* below one: more are transferred anew */

struct filter { /* Bloom's */
	uint64_t *words;
	uint64_t bits; /* a power of two */
};

struct content_around {
	struct filter above;	 /* names that have had an entry below them ... */
	struct filter far_above; /* ... two labels or more */
	uint8_t seed[16];
	unsigned searches;
	/* what was found around the last name asked for: the change itself does not alter it */
	const struct content_place *place;
	struct domain name;
	bool failed;
	bool below[128]; /* by count of labels: others lie below the name's own part of so many */
	struct domain *items; /* names below it that exist */
	size_t count, cap;
};

static void filter_add(struct filter *f, uint64_t h)
{
	for (unsigned i = 0; i < FILTER_PROBES; i++, h += h << 32 | h >> 32 | 1)
		f->words[(h & (f->bits - 1)) / 64] |= (uint64_t)1 << h % 64;
}

static bool filter_has(const struct filter *f, uint64_t h)
{
	for (unsigned i = 0; i < FILTER_PROBES; i++, h += h << 32 | h >> 32 | 1)
		if (!(f->words[(h & (f->bits - 1)) / 64] >> h % 64 & 1))
			return false;
	return true;
}

static uint64_t hash_of(const struct content_around *a, const struct domain *name)
{
	return siphash(a->seed, slice_of(name->wire, name->len));
}

static struct filter filter_new(uint64_t names)
{
	struct filter f = {.bits = 1024};

	while (f.bits < names * FILTER_BITS)
		f.bits *= 2;
	f.words = mem_new(f.bits / 64, sizeof *f.words);
	return f;
}

static void note_name(struct content_around *a, const struct domain *name)
{
	for (unsigned up = 1; up < name->labels; up++) {
		struct domain above = domain_parent(name, up);
		filter_add(&a->above, hash_of(a, &above));
		if (up > 1)
			filter_add(&a->far_above, hash_of(a, &above));
	}
}

static bool note_entry(const struct snapshot_name *e, void *ctx)
{
	note_name(ctx, &e->name);
	return true;
}

void content_watch_names(struct content *c)
{
	struct content_around *a;
	uint64_t names = FILTER_SPARE;
	bool any = false;

	for (size_t i = 0; i < c->place_count; i++)
		any = any || c->places[i].has_names;
	if (!any || c->around)
		return;
	for (size_t i = 0; i < c->key_count; i++) {
		const struct snapshot *s = c->keys[i].index->snapshot;
		for (size_t set = 0; set < snapshot_set_count(s); set++)
			if (snapshot_set_meta(s, set)->kind == SET_NAME)
				names += snapshot_set_entries(s, set);
	}
	a = c->around = mem_new(1, sizeof *a);
	a->above = filter_new(names);
	a->far_above = filter_new(names);
	a->searches = CONTENT_SEARCHES;
	for (size_t i = 0; i < c->key_count; i++) {
		const struct index *ix = c->keys[i].index;
		struct overlay_cursor cursor = {0};
		struct overlay_entry e;
		memcpy(a->seed, snapshot_seed(ix->snapshot), sizeof a->seed);
		snapshot_each_name(ix->snapshot, 0, note_entry, a);
		while (ix->overlay && overlay_next(ix->overlay, &cursor, &e))
			if (e.is_name)
				note_name(a, &e.name);
	}
}

void content_around_free(struct content_around *a)
{
	if (!a)
		return;
	free(a->above.words);
	free(a->far_above.words);
	free(a->items);
	free(a);
}

void content_rest(struct content *c)
{
	if (c->around)
		c->around->searches = CONTENT_SEARCHES;
}

void content_changed_name(struct content *c, const struct domain *name)
{
	if (c->around)
		note_name(c->around, name);
}

/* ---- searching ---- */

struct search {
	const struct content *content;
	const struct content_place *place;
	const struct index *index;
	const struct domain *top;
	const struct domain *except;
	struct content_around *collect; /* NULL: one is enough */
	bool found;
};

static void collect(struct content_around *a, const struct domain *name)
{
	if (a->count == NAMES_MAX)
		a->failed = true;
	for (size_t i = a->count; i-- > 0 && !a->failed;)
		if (domain_eq(&a->items[i], name))
			return;
	if (a->failed)
		return;
	if (a->count == a->cap) {
		a->cap = a->cap ? a->cap * 2 : 16;
		a->items = mem_resize(a->items, a->cap * sizeof *a->items);
	}
	a->items[a->count++] = *name;
}

/* True: go on. */
static bool look_at(struct search *s, const struct domain *name)
{
	if (name->labels <= s->top->labels || !domain_is_under(name, s->top)
		|| domain_eq(name, s->except) || !name_is_entry(s->content, s->place, name))
		return true;
	s->found = true;
	if (!s->collect)
		return false;
	for (unsigned up = 0; name->labels - up > s->top->labels; up++) {
		struct domain above = domain_parent(name, up);
		collect(s->collect, &above);
	}
	return !s->collect->failed;
}

static bool look_at_entry(const struct snapshot_name *e, void *ctx)
{
	struct search *s = ctx;

	return !names_are_here(s->place, s->index, e->set) || look_at(s, &e->name);
}

static bool search(struct content *c, const struct content_place *p, const struct domain *top,
	const struct domain *except, struct content_around *into)
{
	struct search s = {c, p, NULL, top, except, into, false};

	if (c->around->searches == 0) {
		c->around->failed = true;
		return false;
	}
	c->around->searches--;
	for (size_t i = 0; i < c->key_count; i++) {
		struct overlay_cursor cursor = {0};
		struct overlay_entry e;
		s.index = c->keys[i].index;
		if (!snapshot_each_name(s.index->snapshot, 0, look_at_entry, &s))
			return s.found;
		while (s.index->overlay && overlay_next(s.index->overlay, &cursor, &e))
			if (e.is_name && names_are_here(p, s.index, e.set) && !look_at(&s, &e.name))
				return s.found;
	}
	return s.found;
}

static unsigned name_parts(const struct content_place *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->part_count; i++)
		n += (p->parts[i].list ? p->parts[i].list->kind : p->parts[i].meta->kind)
		     == SET_NAME;
	return n;
}

static void look_around(struct content *c, const struct content_place *p, const struct domain *name)
{
	struct content_around *a = c->around;
	/* With one list an entry answers for itself, whatever lies above it: only names on the way to it
	 * do not. */
	const struct filter *f = name_parts(p) > 1 ? &a->above : &a->far_above;

	a->place = p;
	a->name = *name;
	a->failed = false;
	a->count = 0;
	memset(a->below, 0, sizeof a->below);
	for (unsigned labels = 1; labels <= name->labels && !a->failed; labels++) {
		struct domain up = domain_parent(name, name->labels - labels);
		if ((labels == name->labels || !name_is_entry(c, p, &up)) && name_is_covered(p, &up)
			&& filter_has(&a->above, hash_of(a, &up)))
			a->below[labels] = search(c, p, &up, name, NULL);
	}
	if (filter_has(f, hash_of(a, name)) && !a->failed)
		search(c, p, name, name, a);
}

/* ---- records ---- */

static void put_around(
	struct content *c, const struct content_place *p, const struct domain *name, struct buf *to)
{
	struct content_around *a = c->around;
	bool here = name_is_entry(c, p, name);

	if (a->place != p || !domain_eq(&a->name, name))
		look_around(c, p, name);
	for (unsigned labels = 1; labels < name->labels; labels++) {
		struct domain up = domain_parent(name, name->labels - labels);
		if ((here || a->below[labels]) && !name_is_entry(c, p, &up)
			&& name_is_covered(p, &up))
			name_put(p, &up, to);
	}
	if (here || ((a->below[name->labels] || a->count) && name_is_covered(p, name)))
		name_put(p, name, to);
	for (size_t i = 0; i < a->count && !to->failed; i++)
		if (name_is_entry(c, p, &a->items[i]) || name_is_covered(p, &a->items[i]))
			name_put(p, &a->items[i], to);
}

bool content_put_around_name(struct content *c, const struct domain *name, struct buf *to)
{
	if (!c->around || name->labels == 0) /* below the root lies everything */
		return false;
	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i].has_names)
			put_around(c, &c->places[i], name, to);
	return !to->failed && !c->around->failed;
}
