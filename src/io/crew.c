/* crew.c - threads that wait for jobs and take them one by one until none is left. */
#include "io/crew.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/pause.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct crew {
	struct parallel parallel;
	pthread_t threads[CREW_MAX];
	size_t count;
	void (*pause_fn)(void); /* that of who made it */
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	/* under the lock */
	unsigned round; /* grows with every run() */
	size_t working; /* helpers that have joined this round */
	bool stop;
	/* of this round */
	parallel_job *job;
	void *ctx;
	size_t jobs;
	atomic_size_t next;
};

static void work(struct crew *c)
{
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->jobs) {
		c->job(c->ctx, i);
		pause_here();
	}
}

static void *helper(void *ctx)
{
	struct crew *c = ctx;
	unsigned seen = 0;

	pause_fn = c->pause_fn;
	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (c->round == seen && !c->stop)
			pthread_cond_wait(&c->wake, &c->lock);
		if (c->stop)
			break;
		seen = c->round;
		if (atomic_load(&c->next) >= c->jobs)
			continue; /* too late: nobody waits for us */
		c->working++;
		pthread_mutex_unlock(&c->lock);
		work(c);
		pthread_mutex_lock(&c->lock);
		if (--c->working == 0)
			pthread_cond_signal(&c->idle);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void run(const struct parallel *p, size_t jobs, parallel_job *job, void *ctx)
{
	struct crew *c = (struct crew *)p; /* its first member */

	pthread_mutex_lock(&c->lock);
	c->job = job;
	c->ctx = ctx;
	c->jobs = jobs;
	atomic_store(&c->next, 0);
	c->round++;
	pthread_cond_broadcast(&c->wake);
	pthread_mutex_unlock(&c->lock);
	work(c);
	pthread_mutex_lock(&c->lock);
	while (c->working)
		pthread_cond_wait(&c->idle, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

struct crew *crew_new(void)
{
	struct crew *c = mem_new(1, sizeof *c);
	sigset_t all, old;
	cpu_set_t cpus;
	size_t want = 1;

	c->parallel.run = run;
	c->pause_fn = pause_fn;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	pthread_cond_init(&c->idle, NULL);
	if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
		want = MIN((size_t)CPU_COUNT(&cpus), (size_t)CREW_MAX);
	sigfillset(&all); /* signals are for others */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (c->count + 1 < want && pthread_create(&c->threads[c->count], NULL, helper, c) == 0)
		c->count++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	c->parallel.width = c->count + 1;
	return c;
}

struct crew *crew_free(struct crew *c)
{
	if (!c)
		return NULL;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->wake);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->count; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->wake);
	pthread_cond_destroy(&c->idle);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return NULL;
}

const struct parallel *crew_parallel(struct crew *c)
{
	return &c->parallel;
}
