/* hosts4.h - the part of a snapshot that holds single IPv4 addresses, of all sets, when they are many.
 * Few ones are prefixes like others (ranges4.h). */
#pragma once

#include "index/rows.h"

struct file_hosts4 {
	uint64_t
		words_at; /* HOSTS_WORD bytes each: of 64 /24s, which are not empty; where they stand */
	uint64_t data_at, data_size;
	uint32_t first, words; /* the words cover addresses from first << 14 on */
	uint32_t row_base;
	uint8_t row_bits;
	uint8_t expires; /* 1: every host has an expiry time of 32 bits, 0 never */
	uint8_t unused[2];
};

/* A word: a bit for each of 64 /24s, and (u32) the place in the data of what follows: for each /24 that
 * is not empty the count of its hosts less one, then the hosts' last octets, ascending. Before that
 * place, backwards, a cell for each host: its row less row_base (low bits), its expiry time. */
#define HOSTS_WORD 12

struct hosts4 {
	const uint8_t *words, *data;
	uint32_t first, count; /* words */
	uint32_t row_base;
	uint8_t row_bits, cell_bits;
	bool expires;
	bool popcnt; /* the processor can count bits */
};

/* Takes the hosts out of the sets and adds the part, unless they are few. *ret_at: 0 when there is none. */
bool hosts4_write(struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at,
	struct err *err);
/* nodes: checked. False: damaged. */
bool hosts4_open(const struct snapshot *s, uint64_t at, struct hosts4 *ret);

#define HOSTS_SHIFT 14 /* of an address: its word */

struct hosts4_word {
	uint64_t bits;
	uint32_t start;
};

static inline struct hosts4_word hosts4_word(const struct hosts4 *h, uint32_t i)
{
	const uint8_t *p = h->words + (size_t)i * HOSTS_WORD;
	struct hosts4_word w = {.bits = bits_load(p)};

	memcpy(&w.start, p + 8, 4);
	return w;
}

/* ---- inside a word ---- */

/* counts: where the word's data begin. At which bit the cell of its index-th host stands. */
static inline uint64_t hosts4_cell_at(const struct hosts4 *h, const uint8_t *counts, unsigned index)
{
	return (uint64_t)(counts - h->data) * 8 - (uint64_t)(index + 1) * h->cell_bits;
}

static inline uint32_t hosts4_cell(
	const struct hosts4 *h, const uint8_t *counts, unsigned index, uint32_t *ret_expires)
{
	uint64_t at;

	if (!h->cell_bits)
		return h->row_base;
	at = hosts4_cell_at(h, counts, index);
	if (h->expires)
		*ret_expires = (uint32_t)bits_get(h->data, at + h->row_bits, 32);
	return h->row_base + (uint32_t)bits_get(h->data, at, h->row_bits);
}

/* The row at an address whose /24 is not empty. Inline: those who ask often compile it for processors that
 * count bits (hosts4.popcnt), where it is half as long. */
static inline __attribute__((always_inline)) uint32_t hosts4_look(
	const struct hosts4 *h, struct hosts4_word w, uint32_t address, uint32_t *ret_expires)
{
	const uint8_t *counts = h->data + w.start;
	unsigned before = (unsigned)__builtin_popcountll(w.bits << (~(address >> 8) & 63)) - 1;
	unsigned first = before + bits_byte_sum(counts, before); /* of this /24 */
	const uint8_t *lows = counts + __builtin_popcountll(w.bits) + first;
	unsigned n = counts[before] + 1u, at = bits_byte_find(lows, n, (uint8_t)address);

	return at < n ? hosts4_cell(h, counts, first + at, ret_expires) : 0;
}

uint32_t hosts4_find_in(
	const struct hosts4 *h, struct hosts4_word w, uint32_t address, uint32_t *ret_expires);

/* The row at an address; 0: none. *ret_expires: what ROW_COLUMN means there. */
static inline uint32_t hosts4_find(const struct hosts4 *h, uint32_t address, uint32_t *ret_expires)
{
	uint32_t i = (address >> HOSTS_SHIFT) - h->first;
	struct hosts4_word w;

	if (i >= h->count) /* so it is when there are no words at all */
		return 0;
	w = hosts4_word(h, i);
	return w.bits >> (address >> 8 & 63) & 1 ? hosts4_find_in(h, w, address, ret_expires) : 0;
}

/* Walks through the hosts by address. */
struct hosts4_walk {
	uint32_t word; /* the next one */
	uint64_t bits; /* of this word: /24s that come */
	const uint8_t *start, *counts, *lows;
	unsigned left;			/* in this /24, of which `lows` is the next */
	unsigned index;			/* of the next one in this word */
	uint32_t address, row, expires; /* where it stands */
};

/* Begins in front of an address, or somewhat before. */
void hosts4_walk_from(const struct hosts4 *h, uint32_t address, struct hosts4_walk *ret);
bool hosts4_next(const struct hosts4 *h, struct hosts4_walk *w);
