/* copy.h - a copy of somebody else's zone: its records, sorted, as the bytes of one file; and changes to it.
 * Pure.
 *
 * The order is that of the tree: a name before those below it, and of these the wildcard first. A name is
 * kept as a key, relative to the zone: label by label from the zone down a byte of its length + 1 and the
 * label, for "*" a byte 1 alone, and a byte 0 at the end. So bytes compare as the tree goes. */
#pragma once

#include "base/buf.h"
#include "dns/xfr.h"

#define COPY_KEY_MAX 256

struct copy_record {
	uint16_t type;
	uint32_t ttl_s;
	struct slice rdata;
};

struct copy {
	struct slice bytes; /* borrowed */
	struct slice records;
	uint64_t count;
	struct copy_record soa_record; /* the one SOA of the zone, which is always there ... */
	struct dns_soa soa;	       /* ... as it is read */
};

/* Checks all of it, so that copy_next() can trust. */
bool copy_open(struct slice bytes, const struct domain *zone, struct copy *ret, struct err *err);

struct copy_cursor {
	struct slice rest;
	uint8_t key[COPY_KEY_MAX];
	size_t key_len;
	struct copy_record record;
};

struct copy_cursor copy_first(const struct copy *c);
/* The next record and its key; false at the end. */
bool copy_next(struct copy_cursor *c);

/* ---- changes ---- */

struct copy_changes {
	struct domain zone;
	bool whole; /* they make up a zone of their own */
	uint32_t count;
	struct buf bytes;
};

/* At most `limit` bytes of them. */
void copy_changes_init(struct copy_changes *c, const struct domain *zone, size_t limit);
void copy_changes_done(struct copy_changes *c);
/* An xfr_fn; ctx is the changes. */
bool copy_changes_take(void *ctx, enum xfr_op op, const struct xfr_record *record, struct err *err);
/* Writes what comes of it to an empty buf. old: NULL for changes that are whole. False: something goes that
 * is not there, or comes that is: these are changes to another zone; or the buf's limit. */
bool copy_merge(const struct copy *old, struct copy_changes *c, struct buf *to, struct err *err);
