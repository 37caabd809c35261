/* names.h - the part of a snapshot that holds domain names, of all sets: written, opened, asked. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "index/snapshot.h"

struct builder;
struct names;

/* Adds the names of all sets, counts them in the sets' entries and frees them. *ret_at: where the part
 * begins, 0 when there are no names. */
bool names_write(struct builder *b, struct buf *to, uint64_t *ret_at, struct err *err);

/* The part at `at`, whose sets (with their values) s has opened; NULL when anything there is damaged. */
struct names *names_open(const struct snapshot *s, uint64_t at);
void names_close(struct names *n); /* NULL is fine */

/* Every entry of any set in force at now_s that covers the name: sets ascending, in each most specific
 * first ("x" before ".x"), exclusions before values of the same key. At most SNAPSHOT_HITS_MAX. n may be
 * NULL. name: wire form, lower case, with the root label at the end; labels without it. */
size_t names_find(const struct snapshot *s, const struct names *n, const uint8_t *name, size_t len,
	unsigned labels, int64_t now_s, struct hit hits[]);
