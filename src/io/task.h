/* task.h - work that would hold up the loop, done in a thread of its own, one piece at a time. */
#pragma once

#include "io/loop.h"

#include <stdbool.h>

struct task;

/* work(ctx) runs in the thread, which steps back, and done(ctx) then in the loop. What work() touches, the loop leaves alone
 * from task_start() until done(). */
struct task *task_new(struct loop *l, loop_fn *work, loop_fn *done, void *ctx);
/* False, with errno: no thread is to be had. Not while it is running. */
bool task_start(struct task *t);
bool task_running(const struct task *t);
/* Waits for work() if it is running; done() is not called any more. NULL is fine. */
struct task *task_free(struct task *t);

/* The calling thread, and those it starts from now on, leave the processor to whoever answers: they get the
 * least share of it, and give it up at each pause (base/pause.h). */
void task_step_back(void);
