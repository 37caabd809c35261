/* task.c - work in a thread of its own. */
#include "io/task.h"

#include "base/mem.h"
#include "base/pause.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE 19
#define SLICE_NS (100 * 1000000ull) /* the longest there is */

struct task {
	loop_fn *work, *done;
	void *ctx;
	int finished; /* eventfd: work() has returned */
	struct loop_watch *watch;
	pthread_t thread;
	bool running;
};

static void finished(void *ctx, int fd, unsigned events)
{
	struct task *t = ctx;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof n) != sizeof n)
		return;
	pthread_join(t->thread, NULL);
	t->running = false;
	t->done(t->ctx);
}

struct task *task_new(struct loop *l, loop_fn *work, loop_fn *done, void *ctx)
{
	struct task *t = mem_new(1, sizeof *t);

	t->work = work;
	t->done = done;
	t->ctx = ctx;
	t->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->finished < 0)
		abort();
	t->watch = loop_watch_new(l, t->finished, LOOP_READ, finished, t);
	return t;
}

/* Since Linux 6.6 whoever has the processor keeps it for a slice, however nice he is, and is asked again only
 * at a tick: milliseconds in which nobody answers. Since 6.12 one with a shorter slice need not wait for that. */
static void lengthen_slice(void)
{
	/* sched_setattr(2), in its first version; glibc has it since 2.41. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} attr = {.size = sizeof attr, .policy = SCHED_BATCH, .nice = NICE, .runtime_ns = SLICE_NS};

	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void yield(void)
{
	sched_yield();
}

void task_step_back(void)
{
	struct sched_param none = {0};

	/* Not SCHED_IDLE: with every processor busy, that would all but stop. Linux keeps all this for each
	 * thread: 0 is the calling one. A kernel or filter that refuses it has us work as before. */
	(void)sched_setscheduler(0, SCHED_BATCH, &none);
	(void)setpriority(PRIO_PROCESS, 0, NICE); /* of the disk, too: the last of its class */
	lengthen_slice();
	pause_fn = yield;
}

static void *run(void *ctx)
{
	struct task *t = ctx;
	uint64_t one = 1;

	task_step_back();
	t->work(t->ctx);
	if (write(t->finished, &one, sizeof one) != sizeof one)
		abort();
	return NULL;
}

bool task_start(struct task *t)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = rc;
	t->running = rc == 0;
	return t->running;
}

bool task_running(const struct task *t)
{
	return t->running;
}

struct task *task_free(struct task *t)
{
	if (!t)
		return NULL;
	if (t->running)
		pthread_join(t->thread, NULL);
	loop_watch_free(t->watch);
	close(t->finished);
	free(t);
	return NULL;
}
