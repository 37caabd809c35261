/* loop.c - libevent behind watches, timers and signals. */
#include "io/loop.h"
#include "base/mem.h"

#include <event2/event.h>
#include <stdlib.h>

struct loop_signal {
	struct loop_signal *next;
	struct event *event;
	loop_fn *fn;
	void *ctx;
};

struct loop {
	struct event_base *base;
	struct loop_signal *signals;
};

struct loop_watch {
	struct loop *loop;
	struct event *event;
	int fd;
	loop_fd_fn *fn;
	void *ctx;
};

struct loop_timer {
	struct event *event;
	loop_fn *fn;
	void *ctx;
};

struct loop *loop_new(void)
{
	struct loop *l = mem_new(1, sizeof *l);
	struct event_config *config = event_config_new();

	/* Deadlines of a millisecond matter to the gate. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!l->base)
		abort();
	return l;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	for (struct loop_signal *s = l->signals, *next; s; s = next) {
		next = s->next;
		event_free(s->event);
		free(s);
	}
	event_base_free(l->base);
	free(l);
	return NULL;
}

void loop_run(struct loop *l)
{
	event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

void loop_run_due(struct loop *l)
{
	event_base_loop(l->base, EVLOOP_NONBLOCK);
}

static void watch_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_watch *w = ctx;

	w->fn(w->ctx, fd, (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u));
}

struct loop_watch *loop_watch_new(
	struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx)
{
	struct loop_watch *w = mem_new(1, sizeof *w);

	*w = (struct loop_watch){.loop = l, .fd = fd, .fn = fn, .ctx = ctx};
	loop_watch_set(w, events);
	return w;
}

void loop_watch_set(struct loop_watch *w, unsigned events)
{
	short what = EV_PERSIST;

	if (events & LOOP_READ)
		what |= EV_READ;
	if (events & LOOP_WRITE)
		what |= EV_WRITE;
	if (w->event) {
		if (events && event_pending(w->event, EV_READ | EV_WRITE, NULL)
			&& event_get_events(w->event) == what)
			return;
		event_free(w->event);
		w->event = NULL;
	}
	if (!events)
		return;
	w->event = event_new(w->loop->base, w->fd, what, watch_fired, w);
	if (!w->event || event_add(w->event, NULL) != 0)
		abort();
}

struct loop_watch *loop_watch_free(struct loop_watch *w)
{
	if (w) {
		if (w->event)
			event_free(w->event);
		free(w);
	}
	return NULL;
}

static void timer_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_timer *t = ctx;

	(void)fd;
	(void)what;
	t->fn(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *ctx)
{
	struct loop_timer *t = mem_new(1, sizeof *t);

	t->fn = fn;
	t->ctx = ctx;
	t->event = evtimer_new(l->base, timer_fired, t);
	if (!t->event)
		abort();
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
	struct timeval tv;

	if (delay_ms < 0)
		delay_ms = 0;
	tv.tv_sec = (time_t)(delay_ms / 1000);
	tv.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000);
	evtimer_add(t->event, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
	evtimer_del(t->event);
}

struct loop_timer *loop_timer_free(struct loop_timer *t)
{
	if (t) {
		event_free(t->event);
		free(t);
	}
	return NULL;
}

static void signal_fired(evutil_socket_t signo, short what, void *ctx)
{
	struct loop_signal *s = ctx;

	(void)signo;
	(void)what;
	s->fn(s->ctx);
}

void loop_on_signal(struct loop *l, int signo, loop_fn *fn, void *ctx)
{
	struct loop_signal *s = mem_new(1, sizeof *s);

	*s = (struct loop_signal){.next = l->signals, .fn = fn, .ctx = ctx};
	l->signals = s;
	s->event = evsignal_new(l->base, signo, signal_fired, s);
	if (!s->event || event_add(s->event, NULL) != 0)
		abort();
}
