/* rank.h - the most frequent of many keys in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi: Efficient
 * Computation of Frequent and Top-k Elements in Data Streams, 2005), with weights that fade. Exact as long
 * as there are no more keys than places; with more, no key whose weight is above total / places is missing. */
#pragma once

#include "base/slice.h"

#define RANK_KEY_MAX 255

struct rank;

struct rank_entry {
	uint8_t len;
	char key[RANK_KEY_MAX];
	double weight; /* at most */
	double error;  /* at least weight - error */
};

/* seed: keys come from strangers. */
struct rank *rank_new(size_t places, const uint8_t seed[16]);
struct rank *rank_free(struct rank *r); /* NULL is fine */
/* The key is cut at RANK_KEY_MAX. */
void rank_add(struct rank *r, struct slice key, double weight);
/* All weights become this many times what they were. */
void rank_fade(struct rank *r, double factor);
void rank_clear(struct rank *r);
/* The first of those that have the most for certain, at most max; how many. */
size_t rank_top(const struct rank *r, struct rank_entry ret[], size_t max);
