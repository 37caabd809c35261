/* rows.h - what stands at a key of a snapshot: a row is the entries there, of all sets, most specific
 * first (of equal length: sets ascending, exclusions first), as a chain of nodes. Equal rows, and equal
 * ends of rows, are stored once; a key holds a number. A part counts its rows from a base of its own, so
 * that a part of few rows has short numbers. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "index/bits.h"
#include "index/format.h"
#include "index/merge.h"
#include "index/snapshot.h"

/* How a node's entry ends. */
enum row_expiry {
	ROW_NEVER,
	ROW_COLUMN, /* the key's own column says when: the row's only entry that ends */
	ROW_OWN,    /* the node behind this one says when in `value` */
	ROW_SIDE,   /* this is no node, but the one before it goes on here */
};

struct row_node {
	uint32_t value;	 /* 0 an exclusion, else 1 + a number among the file's values */
	uint32_t parent; /* the next, less specific one; it stands before this one. 0: none */
	uint16_t set;
	uint8_t len;
	uint8_t expiry; /* enum row_expiry */
};

/* ---- writing ---- */

struct rows_writer {
	struct row_node *nodes; /* the first is never used: 0 is "none" */
	size_t count, cap;
	size_t base;	 /* of the part being written */
	uint32_t *slots; /* open addressing over the part's nodes; a power of two */
	size_t slot_count, used;
};

void rows_begin(struct rows_writer *w); /* a part */
/* The row of n entries in front of a row `parent` (0: none): a number for nodes[]. ret_expires NULL: the
 * part has no column of expiry times; else it gets the key's, 0 when nothing of the row needs it. */
uint32_t rows_put(struct rows_writer *w, const struct merge_entry entries[], size_t n,
	uint32_t parent, uint32_t *ret_expires);
/* The part's rows are all there: how many bits hold a number minus `base`. Adds nodes, so that (of few
 * rows) every number of that width is a row, and readers need not look at each. */
uint8_t rows_end(struct rows_writer *w, size_t base);
void rows_done(struct rows_writer *w);

/* ---- reading ---- */

/* Nodes of a whole file: checked, once sets and values are open. */
bool rows_ok(const struct row_node nodes[], uint64_t count, uint64_t sets, uint64_t values);
/* True when all numbers from first to before end are rows. */
bool rows_cover(const struct row_node nodes[], uint64_t count, uint64_t first, uint64_t end);
static inline bool rows_has(const struct row_node nodes[], uint64_t count, uint64_t row)
{
	return row < count && nodes[row].expiry != ROW_SIDE;
}
