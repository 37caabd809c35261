/* loop.h - the event loop of the daemons: libevent behind four ideas (watch, timer, signal, run). One
 * thread, one loop. Callbacks may free the watch or timer that called them. */
#pragma once

#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fd_fn(void *ctx, int fd, unsigned events);
typedef void loop_fn(void *ctx);

struct loop *loop_new(void);
struct loop *loop_free(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop() */
void loop_stop(struct loop *l);
/* What is due now, without waiting: streams that were aborted end here. For a stop. */
void loop_run_due(struct loop *l);

/* Level-triggered; the caller owns fd and closes it after freeing the watch. */
struct loop_watch *loop_watch_new(
	struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx);
void loop_watch_set(struct loop_watch *w, unsigned events); /* 0: pause */
struct loop_watch *loop_watch_free(struct loop_watch *w);

/* A timer fires once after each loop_timer_set(). */
struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *ctx);
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
struct loop_timer *loop_timer_free(struct loop_timer *t);

/* Runs fn in the loop, not in signal context. Lives as long as the loop. */
void loop_on_signal(struct loop *l, int signo, loop_fn *fn, void *ctx);
