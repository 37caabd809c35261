/* grace.h - freeing what workers may still be reading: each worker says when it begins and ends a batch;
 * what was replaced is freed once every worker has been outside a batch since. Workers never wait.
 *
 * The thread of the loop is a reader too, but only within its own callbacks, and frees in one of its own. */
#pragma once

#include "io/loop.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct grace;

struct grace_reader {
	_Alignas(64) _Atomic uint64_t seen; /* the epoch its batch began in; GRACE_OUTSIDE */
	_Atomic uint64_t *epoch;
};

#define GRACE_OUTSIDE UINT64_MAX

struct grace *grace_new(struct loop *l, size_t readers);
/* Runs what is still waiting: no reader may be inside any more. NULL is fine. */
struct grace *grace_free(struct grace *g);
struct grace_reader *grace_reader(struct grace *g, size_t i);

/* Calls fn(ctx) from the loop, after all those deferred before it. */
void grace_defer(struct grace *g, loop_fn *fn, void *ctx);

/* Sequentially consistent on purpose: the loop swaps a pointer, then reads `seen`; the worker writes
 * `seen`, then reads the pointer. One of them must see the other's write. */
static inline void grace_enter(struct grace_reader *r)
{
	atomic_store(&r->seen, atomic_load(r->epoch));
}

static inline void grace_leave(struct grace_reader *r)
{
	atomic_store_explicit(&r->seen, GRACE_OUTSIDE, memory_order_release);
}
