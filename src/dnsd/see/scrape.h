/* scrape.h - where Prometheus fetches the metrics: as much HTTP/1 as that takes, in the main loop. */
#pragma once

#include "dnsd/see/metrics.h"
#include "io/loop.h"

struct scrape;

/* fill(ctx, m): the numbers now, into a zeroed struct; m->data is freed here. Listens at once, so that
 * rights may be given up after. */
struct scrape *scrape_new(struct loop *l, const char *address,
	void (*fill)(void *ctx, struct metrics *m), void *ctx, struct err *err);
struct scrape *scrape_free(struct scrape *s); /* NULL is fine */
