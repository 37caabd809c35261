/* names.h - the part of a snapshot that holds domain names, of all sets: written, opened, asked. Names
 * stand in buckets by a keyed hash (hash.h), once each, whatever number of sets holds them: the record
 * has the wire form (so a hash alone lists nobody) and the number of a row (rows.h). A filter in front, a
 * byte a name, ends most questions for what is not listed at one word of memory. */
#pragma once

#include "index/index.h"
#include "index/rows.h"

struct builder;
struct names;

/* Adds the names of all sets, counts them in the sets' entries and frees them. *ret_at: where the part
 * begins, 0 when there are no names. */
bool names_write(struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at,
	struct err *err);

/* The part at `at`, whose rows s has opened; NULL when anything there is damaged. */
struct names *names_open(const struct snapshot *s, uint64_t at);
void names_close(struct names *n); /* NULL is fine */

/* Every entry of any set in force at now_s that covers the name, most specific first ("x" before ".x"),
 * of equal ones sets ascending, exclusions before values of the same key. At most SNAPSHOT_HITS_MAX. n
 * may be NULL. name: wire form, lower case, with the root label at the end; labels without it. */
size_t names_find(const struct snapshot *s, const struct names *n, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[]);

/* The common case, see index_find_one(). Names of INDEX_WAY_DEPTH labels that there may be entries for have no
 * way: it stays not ready, and names_find_one() says INDEX_MORE. */
void names_way(const struct names *n, const uint8_t *name, size_t len, unsigned labels,
	struct index_way *ret);
enum index_one names_find_one(const struct snapshot *s, const struct names *n, const uint8_t *name,
	size_t len, unsigned labels, const struct index_way *way, int64_t now_s, struct hit *ret);
/* The filter, then what stands behind it where the filter says so. */
void names_prefetch(const struct names *n, const struct index_way *way);
void names_prefetch_behind(const struct names *n, const struct index_way *way);
