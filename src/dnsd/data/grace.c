/* grace.c - epochs: what was replaced is freed once no worker can hold it. */
#include "dnsd/data/grace.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

#define POLL_MS 2

struct waiting {
	struct waiting *next;
	uint64_t epoch; /* free once no reader is in an older one */
	loop_fn *fn;
	void *ctx;
};

struct grace {
	_Alignas(64) _Atomic uint64_t epoch;
	struct grace_reader *readers;
	size_t reader_count;
	struct waiting *first, **last;
	struct loop_timer *timer;
};

static bool passed(const struct grace *g, uint64_t epoch)
{
	for (size_t i = 0; i < g->reader_count; i++)
		if (atomic_load(&g->readers[i].seen) < epoch)
			return false;
	return true;
}

static void run_first(struct grace *g)
{
	struct waiting *w = g->first;

	g->first = w->next;
	if (!g->first)
		g->last = &g->first;
	w->fn(w->ctx);
	free(w);
}

static void poll_readers(void *ctx)
{
	struct grace *g = ctx;

	while (g->first && passed(g, g->first->epoch))
		run_first(g);
	if (g->first)
		loop_timer_set(g->timer, POLL_MS);
}

struct grace *grace_new(struct loop *l, size_t readers)
{
	struct grace *g = aligned_alloc(64, (sizeof *g + 63) / 64 * 64);

	if (!g)
		abort();
	*g = (struct grace){.reader_count = readers};
	atomic_init(&g->epoch, 1);
	g->readers = aligned_alloc(64, (readers ? readers : 1) * sizeof *g->readers);
	if (!g->readers)
		abort();
	for (size_t i = 0; i < readers; i++) {
		atomic_init(&g->readers[i].seen, GRACE_OUTSIDE);
		g->readers[i].epoch = &g->epoch;
	}
	g->last = &g->first;
	g->timer = loop_timer_new(l, poll_readers, g);
	return g;
}

struct grace *grace_free(struct grace *g)
{
	if (!g)
		return NULL;
	while (g->first)
		run_first(g);
	loop_timer_free(g->timer);
	free(g->readers);
	free(g);
	return NULL;
}

struct grace_reader *grace_reader(struct grace *g, size_t i)
{
	return &g->readers[i];
}

void grace_defer(struct grace *g, loop_fn *fn, void *ctx)
{
	struct waiting *w = mem_new(1, sizeof *w);

	*w = (struct waiting){.epoch = atomic_fetch_add(&g->epoch, 1) + 1, .fn = fn, .ctx = ctx};
	*g->last = w;
	g->last = &w->next;
	if (g->first == w)
		loop_timer_set(g->timer, POLL_MS);
}
