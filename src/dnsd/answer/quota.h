/* quota.h - how many questions a client may ask in a second and a day: one table of fixed size for all
 * threads, so that the count is exact. When it is full, who asked least today is forgotten first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct quota;

struct quota_limit {
	uint32_t second, day; /* 0: any number */
};

struct quota *quota_new(void);
struct quota *quota_free(struct quota *q); /* NULL is fine */
/* Counts one question of `client`, a hash with a secret key; true: over a limit. Days are those of UTC.
 * Never waits: while another thread is busy at the same place, a question passes without being counted. */
bool quota_over(struct quota *q, uint64_t client, const struct quota_limit *limit, int64_t now_s);
