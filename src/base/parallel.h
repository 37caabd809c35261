/* parallel.h - work that may be done side by side, for code that has no threads of its own: who calls it
 * lends it some (io/crew.h), or none. */
#pragma once

#include <stddef.h>

/* One of several jobs that touch nothing in common but what they only read. */
typedef void parallel_job(void *ctx, size_t job);

struct parallel {
	size_t width; /* so many at the same time, at least 1 */
	/* Does all of them, in any order, and returns when the last is done. */
	void (*run)(const struct parallel *p, size_t jobs, parallel_job *job, void *ctx);
};

/* p NULL: no help, one after the other. */
static inline size_t parallel_width(const struct parallel *p)
{
	return p ? p->width : 1;
}

static inline void parallel_run(const struct parallel *p, size_t jobs, parallel_job *job, void *ctx)
{
	if (p && jobs > 1) {
		p->run(p, jobs, job, ctx);
		return;
	}
	for (size_t i = 0; i < jobs; i++)
		job(ctx, i);
}
