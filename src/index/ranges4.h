/* ranges4.h - the part of a snapshot that holds IPv4 prefixes, of all sets: the places where what covers
 * an address changes, each with the row of all that covers it from there on. */
#pragma once

#include "index/rows.h"

/* Places ascend, the first is 0.0.0.0. With a directory of 65537 numbers only their lower halves are
 * stored: those of upper half h stand at dir[h]..dir[h + 1]. */
struct file_ranges4 {
	uint64_t dir_at;   /* of u32; 0: none */
	uint64_t keys_at;  /* of u16 with a directory, else u32 */
	uint64_t cells_at; /* bits.h: a row less row_base for each; 0 is no row */
	uint32_t count;
	uint32_t row_base;
	uint8_t row_bits;
	uint8_t unused[7];
};

struct ranges4 {
	const uint32_t *dir; /* NULL: none */
	const void *keys;
	const uint8_t *cells;
	uint32_t count;
	uint32_t row_base;
	uint8_t row_bits;
};

/* Takes all IPv4 tables there are in the sets. *ret_at: 0 when there is nothing. */
bool ranges4_write(struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at,
	struct err *err);
bool ranges4_open(const struct snapshot *s, uint64_t at, struct ranges4 *ret);
/* The row that covers an address; 0: none. */
uint32_t ranges4_find(const struct ranges4 *r, uint32_t address);
uint32_t ranges4_place(const struct ranges4 *r, uint32_t address); /* which one covers it */
uint32_t ranges4_start(const struct ranges4 *r, uint32_t i);	   /* place number i */
uint32_t ranges4_row(const struct ranges4 *r, uint32_t i);
