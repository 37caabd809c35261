/* index.h - one question to all sets at once: snapshot and overlay together, and each set's rule on top.
 * This is what a server calls.
 *
 *   struct asked q = asked_of(name below the zone, its length, its labels);
 *   n = index_find(&ix, &q, now_s, hits);      n == 0: listed in no set
 *   for each hit whose set answers at this place (see set_meta.places):
 *           A hit.value.code; TXT value_expand(hit.value.text, index_subject(...))
 * A zone's answer is the union over its sets (rbldnsd: "combination of several datasets"). */
#pragma once

#include "index/asked.h"
#include "index/overlay.h"
#include "index/snapshot.h"

#define INDEX_WAY_DEPTH 8

/* Where a name and its parents are looked for: kept between the steps of one question. */
struct index_way {
	bool ready;
	uint8_t wanted;			/* bit d: the suffix of d labels */
	uint8_t at[INDEX_WAY_DEPTH];	/* where it begins */
	uint64_t hash[INDEX_WAY_DEPTH]; /* of it */
};

struct index {
	const struct snapshot *snapshot;
	const struct overlay *overlay; /* NULL: none */
};

/* The hits that are each set's answer, sets ascending, at most SNAPSHOT_HITS_MAX; 0: listed nowhere. */
size_t index_find(const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[]);
enum index_one {
	INDEX_NONE, /* listed nowhere */
	INDEX_ONE,  /* *ret is all there is */
	INDEX_MORE, /* index_find() must say */
};

/* The common case, at a fraction of what index_find() takes: an address or a name that nothing covers or one
 * entry does. What it says is what index_find() says. way: ready as index_prefetch() made it for this question,
 * or not ready. */
enum index_one index_find_one(const struct index *ix, const struct asked *q,
	const struct index_way *way, int64_t now_s, struct hit *ret);
/* Asks the memory for what is read for a question, first the one, later the other: with some dozen questions
 * in between, each of them waits less. *way: not ready before. */
void index_prefetch(const struct index *ix, const struct asked *q, struct index_way *way);
void index_prefetch_behind(
	const struct index *ix, const struct asked *q, const struct index_way *way);
/* Of one set. */
size_t index_find_in(const struct index *ix, size_t set, const struct asked *q, int64_t now_s,
	struct hit hits[]);
/* How many of the first hits (most specific first) are the answer under a rule. */
size_t index_select(enum set_rule rule, const struct hit hits[], size_t n);

#define INDEX_SUBJECT_MAX 1024
/* What stands for $ in the text of this hit: the address asked, or the entry's name. The form is
 * rbldnsd's. Returns its length in dst. */
size_t index_subject(const struct set_meta *meta, const struct asked *q, const struct hit *hit,
	char dst[INDEX_SUBJECT_MAX]);
