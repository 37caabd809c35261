/* content_names.c - domain names as records. An entry for "x" is a record at x, one for "*.x" a wildcard. What
 * lies below a listed name and exists (as an entry, or on the way to one) has records of its own: what is
 * said to it, and a wildcard for what is said below it. Where nothing is said although something above is
 * listed below itself (an exclusion), a record that no list answers with keeps the wildcard away. */
#include "dnsd/content/content_names.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "dnsd/answer/rr_list.h"

#include <stdlib.h>

/* HINFO "excluded": DNS has no way to say that a name below a wildcard is not there. */
#define EXCLUDED SLICE("\10excluded\0")

/* ---- what is said to a name: names here are relative to the place ---- */

bool name_is_point(const struct content_place *p, const struct domain *name)
{
	static const uint8_t test[] = "\4test", invalid[] = "\7invalid";

	if (name->labels != 1
		|| ((name->len != sizeof test || memcmp(name->wire, test, sizeof test) != 0)
			&& (name->len != sizeof invalid
				|| memcmp(name->wire, invalid, sizeof invalid) != 0)))
		return false;
	for (size_t i = 0; i < p->part_count; i++)
		if (p->parts[i].list && p->parts[i].list->kind == SET_NAME)
			return true;
	return false;
}

static bool is_ours(const struct content_part *part)
{
	return (part->list ? part->list->kind : part->meta->kind) == SET_NAME;
}

/* Of one index, in force or not. */
static size_t hits_of(const struct index *ix, const struct domain *name, struct hit hits[])
{
	size_t n = snapshot_find_name(ix->snapshot, name->wire, name->len, name->labels, 0, hits);

	return ix->overlay ? overlay_merge_name(
		       ix->overlay, name->wire, name->len, name->labels, 0, hits, n)
			   : n;
}

/* Entries of at most `labels` labels that cover the name. */
static void ask_name(
	const struct content_place *p, const struct domain *name, unsigned labels, struct said *ret)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	const struct index *asked = NULL;
	bool point = labels == name->labels && name_is_point(p, name);
	size_t n = 0, kept;

	ret->count = 0;
	for (size_t i = 0; i < p->part_count; i++) {
		const struct content_part *part = &p->parts[i];
		if (!is_ours(part))
			continue;
		if (part->list && point) {
			struct hit hit = {.value = {part->list->code, part->list->text},
				.len = 1,
				.scope = SCOPE_SELF};
			if (name->wire[0] == 4) /* "test" */
				said_add(ret, part, &hit);
			continue;
		}
		if (!part->index)
			continue;
		if (asked != part->index) {
			asked = part->index;
			n = hits_of(asked, name, hits);
			kept = 0;
			for (size_t k = 0; k < n; k++)
				if (hits[k].len <= labels)
					hits[kept++] = hits[k];
			n = kept;
		}
		said_add_set(ret, part, hits, n);
	}
}

/* Some name below this one that nobody has listed by itself; false: none fits. */
static bool below_of(const struct domain *name, struct domain *ret)
{
	static const struct domain below = {.len = 3, .labels = 1, .wire = {1, 0}};

	return domain_join(&below, name, ret);
}

static void ask_below(const struct content_place *p, const struct domain *name,
	struct domain *ret_below, struct said *ret)
{
	ret->count = 0;
	if (below_of(name, ret_below))
		ask_name(p, ret_below, name->labels, ret);
}

/* Something above the name is listed below itself, so that a wildcard would answer for it. */
bool name_is_covered(const struct content_place *p, const struct domain *name)
{
	struct domain parent = domain_parent(name, 1), below;
	struct said said;

	ask_below(p, &parent, &below, &said);
	return said.count > 0;
}

bool names_are_here(const struct content_place *p, const struct index *ix, size_t set)
{
	for (size_t i = 0; i < p->part_count; i++)
		if (p->parts[i].index == ix && p->parts[i].set == set && is_ours(&p->parts[i]))
			return true;
	return false;
}

static bool has_hit(const struct content_place *p, const struct index *ix, const struct hit hits[],
	size_t n, unsigned labels)
{
	for (size_t i = 0; i < n; i++)
		if (hits[i].len == labels && names_are_here(p, ix, hits[i].set))
			return true;
	return false;
}

/* ix without its overlay when only the snapshot counts. */
bool index_has_name(const struct content_place *p, const struct index *served,
	const struct index *ix, const struct domain *name)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct domain below;

	if (has_hit(p, served, hits, hits_of(ix, name, hits), name->labels))
		return true;
	return below_of(name, &below)
	       && has_hit(p, served, hits, hits_of(ix, &below, hits), name->labels);
}

bool name_is_entry(
	const struct content *c, const struct content_place *p, const struct domain *name)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (index_has_name(p, c->keys[i].index, c->keys[i].index, name))
			return true;
	return name_is_point(p, name);
}

static void put_said(const struct content_place *p, const struct domain *owner,
	const struct said *said, const struct domain *asked_name, bool covered, struct buf *to)
{
	struct asked asked = {.name = asked_name->wire,
		.name_len = asked_name->len,
		.labels = asked_name->labels};

	if (p->policy && (said->count || covered))
		policy_put_name(p, owner, said->count == 0, to);
	else if (said->count)
		content_put_said(owner, said, &asked, to);
	else if (covered)
		rr_put(to, owner, DNS_HINFO, 3600, EXCLUDED);
}

void name_put(const struct content_place *p, const struct domain *name, struct buf *to)
{
	static const struct domain star = {.len = 3, .labels = 1, .wire = {1, '*'}};
	bool covered = name->labels && name_is_covered(p, name);
	struct domain owner, wild, below = *name;
	struct said said;

	if (!domain_join(name, &p->name, &owner) || (p->policy && !policy_takes_name(name)))
		return; /* nobody can ask for it either */
	if (name->labels) {
		ask_name(p, name, name->labels, &said);
		put_said(p, &owner, &said, name, covered, to);
	}
	ask_below(p, name, &below, &said);
	if (domain_join(&star, &owner, &wild))
		put_said(p, &wild, &said, &below, covered, to);
}

/* Labels of the shortest entry above the name that covers it; the name's own when none does. */
unsigned name_covered_from(
	const struct content *c, const struct content_place *p, const struct domain *name)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	unsigned least = name->labels;

	for (size_t i = 0; i < c->key_count; i++) {
		size_t n = hits_of(c->keys[i].index, name, hits);
		for (size_t k = 0; k < n; k++)
			if (hits[k].len < least && names_are_here(p, c->keys[i].index, hits[k].set))
				least = hits[k].len;
	}
	return least;
}

/* ---- all of them ---- */

struct names_walk {
	const struct content *content;
	const struct content_place *place;
	bool points_done;
	size_t index;	 /* of content->keys */
	bool in_overlay; /* its snapshot is done */
	uint64_t from;	 /* in the snapshot */
	struct overlay_cursor cursor;
	struct domain last;  /* all entries of a name stand together */
	struct name_set met; /* names on the way to others that have been given out */
	/* of one call: */
	struct buf *to;
	size_t least;
};

struct names_walk *names_walk_new(const struct content *c, const struct content_place *p)
{
	struct names_walk *w = mem_new(1, sizeof *w);

	w->content = c;
	w->place = p;
	return w;
}

struct names_walk *names_walk_free(struct names_walk *w)
{
	if (w)
		free(w->met.items);
	free(w);
	return NULL;
}

static const struct index *index_of(const struct names_walk *w)
{
	return w->content->keys[w->index].index;
}

bool name_set_add(struct name_set *s, const struct domain *name, const uint8_t seed[16])
{
	uint64_t h = siphash(seed, slice_of(name->wire, name->len)) | 1;

	if ((s->count + 1) * 2 > s->size) {
		struct name_set bigger = {.size = s->size ? s->size * 2 : 64};
		bigger.items = mem_new(bigger.size, sizeof *bigger.items);
		for (size_t i = 0; i < s->size; i++)
			for (size_t k = s->items[i] >> 1; s->items[i]; k++)
				if (!bigger.items[k & (bigger.size - 1)]) {
					bigger.items[k & (bigger.size - 1)] = s->items[i];
					break;
				}
		bigger.count = s->count;
		free(s->items);
		*s = bigger;
	}
	for (size_t k = h >> 1;; k++) {
		uint64_t *slot = &s->items[k & (s->size - 1)];
		if (*slot == h)
			return false;
		if (*slot)
			continue;
		*slot = h;
		s->count++;
		return true;
	}
}

/* The name, and what lies between it and what covers it. */
static void walk_name(struct names_walk *w, const struct domain *name)
{
	const uint8_t *seed = snapshot_seed(index_of(w)->snapshot);
	unsigned from;

	name_put(w->place, name, w->to);
	from = name_covered_from(w->content, w->place, name);
	for (unsigned labels = name->labels; labels-- > from + 1;) {
		struct domain up = domain_parent(name, name->labels - labels);
		if (!name_set_add(&w->met, &up, seed))
			continue;
		if (!name_is_entry(w->content, w->place, &up) && name_is_covered(w->place, &up))
			name_put(w->place, &up, w->to);
	}
}

/* Given out with an index before this one, or as a test entry. */
static bool was_before(const struct names_walk *w, const struct domain *name)
{
	for (size_t i = 0; i < w->index; i++) {
		const struct index *ix = w->content->keys[i].index;
		if (index_has_name(w->place, ix, ix, name))
			return true;
	}
	return name_is_point(w->place, name);
}

static bool take_name(const struct snapshot_name *e, void *ctx)
{
	struct names_walk *w = ctx;

	if (w->to->len >= w->least && !domain_eq(&e->name, &w->last)) {
		w->from = e->at;
		return false;
	}
	if (!names_are_here(w->place, index_of(w), e->set) || domain_eq(&e->name, &w->last))
		return true;
	w->last = e->name;
	if (!was_before(w, &e->name)
		&& index_has_name(w->place, index_of(w), index_of(w), &e->name))
		walk_name(w, &e->name);
	return true;
}

/* Names that only changes have brought; of several records for one the first stands for all. */
static bool is_new(const struct names_walk *w, const struct overlay_entry *e)
{
	const struct index *ix = index_of(w), snapshot = {.snapshot = ix->snapshot};

	for (size_t i = 0; i < w->place->part_count; i++) {
		const struct content_part *part = &w->place->parts[i];
		if (part->index != ix || !is_ours(part))
			continue;
		for (unsigned scope = SCOPE_SELF; scope <= SCOPE_BOTH; scope++)
			if ((part->set < e->set || (part->set == e->set && scope < e->scope))
				&& overlay_has_name(ix->overlay, part->set, &e->name, scope))
				return false;
	}
	return !index_has_name(w->place, ix, &snapshot, &e->name);
}

static bool overlay_more(struct names_walk *w)
{
	const struct index *ix = index_of(w);
	struct overlay_entry e;

	while (w->to->len < w->least) {
		if (!ix->overlay || !overlay_next(ix->overlay, &w->cursor, &e))
			return false;
		if (e.is_name && names_are_here(w->place, ix, e.set) && is_new(w, &e)
			&& !was_before(w, &e.name) && index_has_name(w->place, ix, ix, &e.name))
			walk_name(w, &e.name);
	}
	return true;
}

static void put_points(struct names_walk *w)
{
	static const struct domain points[] = {{.len = 6, .labels = 1, .wire = "\4test"},
		{.len = 9, .labels = 1, .wire = "\7invalid"}};

	for (size_t i = 0; i < 2; i++)
		if (name_is_point(w->place, &points[i]))
			name_put(w->place, &points[i], w->to);
	w->points_done = true;
}

bool names_walk_more(struct names_walk *w, size_t least, struct buf *to)
{
	w->to = to;
	w->least = least;
	if (!w->points_done)
		put_points(w);
	while (w->index < w->content->key_count) {
		if (!w->in_overlay
			&& !snapshot_each_name(index_of(w)->snapshot, w->from, take_name, w))
			return true;
		w->in_overlay = true;
		if (overlay_more(w))
			return true;
		w->index++;
		w->in_overlay = false;
		w->from = 0;
		w->cursor = (struct overlay_cursor){0};
		w->last = (struct domain){0};
	}
	return false;
}
