/* tables6.h - the part of a snapshot that holds IPv6 prefixes, of all sets: a table for each length that
 * occurs, long ones first. */
#pragma once

#include "index/rows.h"

#include <stdatomic.h>

struct file_tables6 {
	uint64_t tables_at; /* struct file_table6 */
	uint64_t count;
};

/* A key is its first `len` bits, mixed by a permutation that the file's seed chooses, so that nobody can
 * aim at a bucket: the upper bucket_bits tell the bucket, the rest stands in a cell. Of keys longer than
 * 64 bits the first 64 stand there as they are and mix the others. */
struct file_table6 {
	uint64_t dir_at; /* u32[2^bucket_bits + 1]: cells of a bucket */
	uint64_t
		cells_at; /* bits.h: rest of the key, first 64 bits of long keys, row, expiry time */
	uint32_t count;
	uint32_t row_base;
	uint8_t len;
	uint8_t bucket_bits, row_bits;
	uint8_t expires; /* 1: cells have an expiry time of 32 bits, 0 never */
	uint8_t unused[4];
};

struct table6 {
	const uint32_t *dir;
	const uint8_t *cells;
	uint32_t count, row_base;
	uint8_t len, key_bits, rest_bits, row_bits;
	uint8_t cell_bits; /* all together: at most 64 + 64 + 32 + 32 */
	bool expires;
	/* The cells' numbers by address: made when they are first asked for in that order. */
	_Atomic(uint32_t *) order;
};

struct tables6 {
	struct table6 *items;
	size_t count;
	uint64_t multiply[2], inverses[2]; /* odd; what undoes it */
};

bool tables6_write(struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at,
	struct err *err);
/* NULL: damaged. */
struct tables6 *tables6_open(const struct snapshot *s, uint64_t at);
void tables6_close(struct tables6 *t); /* NULL is fine */
/* The row at the first t->items[i].len bits of an address, given as two halves; 0: none. *ret_expires:
 * what ROW_COLUMN means there. */
uint32_t tables6_find(
	const struct tables6 *t, size_t i, uint64_t high, uint64_t low, uint32_t *ret_expires);
/* Asks the memory for what tables6_find() will read of a table: first its directory, later (behind) the cells. */
void tables6_prefetch(
	const struct tables6 *tables, size_t i, uint64_t high, uint64_t low, bool behind);

struct table6_key {
	uint64_t high, low;
};

int table6_key_compare(const struct table6_key *a, const struct table6_key *b);
/* Keys by address: the place of the first that is not below a key, the key at a place, its row. Any
 * thread may ask; the first who does waits for a sort. */
uint32_t tables6_from(const struct tables6 *t, size_t i, const struct table6_key *key);
struct table6_key tables6_key(const struct tables6 *t, size_t i, uint32_t place);
uint32_t tables6_row(const struct tables6 *t, size_t i, uint32_t place, uint32_t *ret_expires);
