/* steer.c - which of an address's workers gets a question. */
#include "dnsd/path/steer.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define LOOK_MS 1000
#define UNEVEN_LOOKS 5	 /* in a row, before the hash decides */
#define AGAIN_S 600	 /* so long the hash decides before processors are tried anew */
#define BUSY_COUNT 50000 /* questions in a second that one worker may well do alone */

struct steer {
	struct worker *const *workers;
	size_t count;
	uint64_t *seen, *fresh; /* questions of each worker: at the last look, since then */
	unsigned uneven;	/* looks in a row */
	unsigned wait_s;	/* the hash decides */
	struct loop_timer *timer;
};

bool steer_uneven(const uint64_t counts[], size_t count)
{
	uint64_t most = 0, sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += counts[i];
		most = counts[i] > most ? counts[i] : most;
	}
	/* One has more than half as much again as its share. */
	return most > BUSY_COUNT && most * count > sum + sum / 2;
}

static void look(void *ctx)
{
	struct steer *s = ctx;

	loop_timer_set(s->timer, LOOK_MS);
	for (size_t i = 0; i < s->count; i++) {
		uint64_t now = atomic_load_explicit(
			&worker_stats(s->workers[i])->queries, memory_order_relaxed);
		s->fresh[i] = now - s->seen[i];
		s->seen[i] = now;
	}
	s->uneven = steer_uneven(s->fresh, s->count) ? s->uneven + 1 : 0;
	if (s->wait_s) {
		if (--s->wait_s == 0)
			worker_steer(s->workers[0], s->count);
	} else if (s->uneven >= UNEVEN_LOOKS) {
		worker_steer(s->workers[0], 0);
		s->wait_s = AGAIN_S;
		log_event(LOG_INFO, "dnsd.steer",
			"by=hash reason=\"one processor receives nearly all\"");
	}
}

struct steer *steer_new(struct loop *l, struct worker *const workers[], size_t count)
{
	struct steer *s = mem_new(1, sizeof *s);

	s->workers = workers;
	s->count = count;
	s->seen = mem_new(count + 1, sizeof *s->seen);
	s->fresh = mem_new(count + 1, sizeof *s->fresh);
	if (count > 1 && worker_steer(workers[0], count)) {
		s->timer = loop_timer_new(l, look, s);
		loop_timer_set(s->timer, LOOK_MS);
	}
	return s;
}

struct steer *steer_free(struct steer *s)
{
	if (!s)
		return NULL;
	loop_timer_free(s->timer);
	free(s->seen);
	free(s->fresh);
	free(s);
	return NULL;
}
