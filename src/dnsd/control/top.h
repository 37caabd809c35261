/* top.h - who asks, for what, and which lists answer: rates, worked out of the samples of watch.h while somebody
 * watches. In the loop. */
#pragma once

#include "dnsd/control/report.h"
#include "dnsd/see/watch.h"
#include "io/loop.h"

struct top;

/* Both borrowed. */
struct top *top_new(struct loop *l, const struct report *r, struct watches *w);
struct top *top_free(struct top *t); /* NULL is fine */
/* For each who watches: sampling goes on while there is one. */
void top_begin(struct top *t);
void top_end(struct top *t);
/* Adds the numbers as of now (docs/messages.md). */
void top_report(struct top *t, json_t *reply);
