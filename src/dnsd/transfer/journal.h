/* journal.h - what changed in the zones of this site's lists, as records removed and added, for incremental
 * transfers (RFC 1995). In memory, bounded: who is behind its beginning gets the whole zone. The loop writes
 * it while changes are applied, TCP threads read it. */
#pragma once

#include "dnsd/content/content.h"
#include "index/changelog.h"

#include <pthread.h>

/* What one change did to the zone. */
struct journal_step {
	uint64_t to; /* the serial after it */
	uint32_t removed_len, added_len;
	char *bytes; /* records removed, then records added */
};

struct journal {
	struct domain zone;
	size_t limit; /* bytes */
	/* the loop's: */
	struct content *content; /* over the live index; NULL: not published */
	struct buf before, after, removed, added;
	bool overflow; /* of the change that is being looked at */
	bool changed;  /* since journal_done() */
	/* of all, under the lock: */
	pthread_mutex_t lock;
	uint64_t first_serial; /* what can be told begins here */
	uint64_t serial;       /* of the contents after all steps */
	struct set_soa soa;
	size_t bytes;
	struct journal_step *steps; /* a ring */
	size_t first, count, cap;
	uint64_t first_number; /* of steps since the beginning */
};

struct journal *journal_new(const struct domain *zone, size_t limit);
struct journal *journal_free(struct journal *j); /* NULL is fine */

/* The zone is served from this index now, whose last change is `serial`; the same contents under another
 * index go on where the journal ended, all else begins anew. */
void journal_serve(
	struct journal *j, const struct served_zone *z, const struct index *ix, uint64_t serial);
/* Around each change; done after those that were in the change log. True: the zone has changed. */
void journal_before(struct journal *j, const struct change *c);
void journal_after(struct journal *j, const struct index *ix, size_t set, const struct change *c);
bool journal_done(struct journal *j, uint64_t serial);

/* ---- from TCP threads ---- */

enum journal_answer {
	JOURNAL_SAME,  /* it is up to date (or says so): the SOA alone */
	JOURNAL_STEPS, /* journal_next() gives them */
	JOURNAL_WHOLE, /* too far behind */
};

struct journal_reader {
	uint64_t from, to; /* serials: what it has, what it will have */
	uint64_t number;   /* of the next step */
	uint64_t at;	   /* serial after the last step given */
	struct set_soa soa;
};

/* What to tell who has this serial. */
enum journal_answer journal_read(struct journal *j, uint32_t serial, struct journal_reader *ret);
/* The next records: SOA before, what goes, SOA after, what comes: of one step or of several, summed up.
 * *ret_last: that was all. False: they have been dropped meanwhile. */
bool journal_next(struct journal *j, struct journal_reader *r, struct buf *to, bool *ret_last);
