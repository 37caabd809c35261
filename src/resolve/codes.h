/* codes.h - which return codes of a DNS list count, and how much: "127.0.0.2", "127.0.0.[2..11]",
 * "127.0.[0;1].[2;4..8]*3". */
#pragma once

#include "base/err.h"
#include "base/slice.h"

/* Each octet is a set of numbers. */
struct code_pattern {
	uint64_t octets[4][4]; /* bit n of octet i: octets[i][n / 64] >> n % 64 */
	bool weighted;	       /* a '*' was there */
	long weight;	       /* what stood behind it, -1000..1000 */
};

/* At least one pattern that lies within 127.0.0.0/8; else words in err. */
bool code_pattern_parse(struct slice text, struct code_pattern *ret, struct err *err);
bool code_pattern_matches(const struct code_pattern *p, uint32_t code);

struct code_set {
	struct code_pattern *items;
	size_t count;
};

/* All or nothing. The set of no texts is empty: see code_set_weight(). */
bool code_set_parse(const char *const *texts, size_t count, struct code_set *ret, struct err *err);
void code_set_done(struct code_set *s);
bool code_set_matches(const struct code_set *s, uint32_t code);
/* The weight of an answer: once `unweighted` if one of the codes matches a pattern without a weight,
 * and the weight of each other pattern that one of the codes matches. False when none does. An empty
 * set matches every code inside 127.0.0.0/8 but 127.0.0.1, with weight `unweighted`: lists that refuse
 * and resolvers that block answer 127.0.0.1, so it counts only where it is named. */
bool code_set_weight(const struct code_set *s, const uint32_t *codes, size_t count, long unweighted,
	long *ret_weight);
