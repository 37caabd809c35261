/* tcp.c - DNS over TCP: threads that wait for sessions, and who has to go. */
#include "dnsd/path/tcp.h"

#include "base/attr.h"
#include "base/log.h"
#include "base/mem.h"
#include "dnsd/answer/limit.h"
#include "dnsd/path/session.h"
#include "io/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define LISTENERS_MAX 64
#define ACCEPTS_PER_EVENT 16 /* then the other threads get theirs */
#define EVENTS 256
#define LEFTOVER_MAX ((size_t)256 << 20) /* bytes kept for peers that do not read, or not whole */
#define OTHER_FILES                                                                                \
	64 /* besides sessions: UDP sockets are open already; data files, the change log */

struct thread {
	struct tcp *tcp;
	pthread_t id;
	bool running;
	int epoll;
	struct grace_reader *reader;
	struct session *first, *last; /* the one that has been silent longest is last */
	struct session_room room;
};

struct tcp {
	struct tcp_options options;
	size_t session_limit; /* as far as the system lets us */
	_Atomic size_t session_count, leftover_bytes;
	atomic_bool stop;
	int wake; /* eventfd */
	struct thread *threads;
	size_t listener_count;
	int listeners[LISTENERS_MAX];
};

static void session_unlink(struct thread *t, struct session *s)
{
	*(s->prev ? &s->prev->next : &t->first) = s->next;
	*(s->next ? &s->next->prev : &t->last) = s->prev;
}

static void session_to_front(struct thread *t, struct session *s)
{
	s->prev = NULL;
	s->next = t->first;
	*(s->next ? &s->next->prev : &t->last) = s;
	t->first = s;
}

static void session_close(struct thread *t, struct session *s)
{
	session_unlink(t, s);
	session_done(s, &t->room);
	free(s);
	atomic_fetch_sub(&t->tcp->session_count, 1);
}

static void session_event(struct thread *t, struct session *s, uint32_t happened, int64_t now_ms)
{
	uint32_t before = s->events;
	enum session_step step = session_step(s, &t->room, happened);
	struct epoll_event e = {.events = s->events, .data.ptr = s};

	if (step == SESSION_OVER
		|| (s->events != before && epoll_ctl(t->epoll, EPOLL_CTL_MOD, s->fd, &e) != 0)) {
		session_close(t, s);
		return;
	}
	if (step == SESSION_SPOKE) {
		s->spoke_ms = now_ms;
		session_unlink(t, s);
		session_to_front(t, s);
	}
}

/* Full: the one of this thread that has been silent longest goes (RFC 7766, 6.2.3 lets us). A thread
 * without any goes over the limit by one. */
static void make_room(struct thread *t)
{
	if (t->last)
		session_close(t, t->last);
}

static void accept_one(struct thread *t, int fd, const struct socket_address *peer, int64_t now_ms)
{
	struct session *s = mem_new(1, sizeof *s);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};

	s->fd = fd;
	s->events = EPOLLIN;
	s->spoke_ms = now_ms;
	s->peer = ip_unmap(socket_address_ip(peer, &s->port));
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
		close(fd);
		free(s);
		return;
	}
	session_to_front(t, s);
	atomic_fetch_add(&t->tcp->session_count, 1);
}

static void accept_some(struct thread *t, int listener, int64_t now_ms)
{
	struct tcp *tcp = t->tcp;
	struct socket_address peer;

	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		int fd = socket_accept(listener, &peer);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM
				|| errno == ENOBUFS)
				make_room(t);
			return;
		}
		if (atomic_load(&tcp->session_count) >= tcp->session_limit)
			make_room(t);
		accept_one(t, fd, &peer, now_ms);
	}
}

static void end_idle(struct thread *t, int64_t now_ms)
{
	while (t->last && now_ms - t->last->spoke_ms >= t->tcp->options.idle_ms)
		session_close(t, t->last);
}

static int wait_ms(const struct thread *t)
{
	int64_t left;

	if (!t->last)
		return -1;
	left = t->last->spoke_ms + t->tcp->options.idle_ms - clock_mono_ms();
	return (int)MAX(MIN(left + 1, 60000), 0);
}

static bool is_listener(const struct tcp *tcp, const void *p)
{
	return p >= (const void *)tcp->listeners
	       && p < (const void *)(tcp->listeners + tcp->listener_count);
}

/* Sessions first: accepting may close some, whose events would then be of nobody. */
static void handle(struct thread *t, struct epoll_event *events, int n)
{
	int64_t now_ms = clock_mono_ms();

	t->room.served = atomic_load(t->tcp->options.served);
	t->room.from.now_s = clock_unix_ms() / 1000;
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr && !is_listener(t->tcp, events[i].data.ptr))
			session_event(t, events[i].data.ptr, events[i].events, now_ms);
	end_idle(t, now_ms);
	for (int i = 0; i < n; i++)
		if (is_listener(t->tcp, events[i].data.ptr))
			accept_some(t, *(const int *)events[i].data.ptr, now_ms);
}

static void *run(void *ctx)
{
	struct thread *t = ctx;
	struct epoll_event events[EVENTS];

	while (!atomic_load(&t->tcp->stop)) {
		int n = epoll_wait(t->epoll, events, EVENTS, wait_ms(t));
		grace_enter(t->reader);
		handle(t, events, MAX(n, 0));
		grace_leave(t->reader);
	}
	return NULL;
}

/* Each session is an open file: ask for as many as the configuration wants, or take fewer sessions. */
static size_t allow_sessions(size_t wanted)
{
	struct rlimit limit;
	rlim_t files = (rlim_t)wanted + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files)
		return wanted;
	/* Root may go above the hard limit, others up to it. */
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){files, MAX(files, limit.rlim_max)}) == 0)
		return wanted;
	limit.rlim_cur = MIN(files, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == files)
		return wanted;
	files = limit.rlim_cur > 2 * OTHER_FILES ? limit.rlim_cur - OTHER_FILES
						 : limit.rlim_cur / 2;
	log_event(LOG_WARN, "dnsd.limit", "limit=open-files sessions=%zu wanted=%zu", (size_t)files,
		wanted);
	return (size_t)files;
}

struct tcp *tcp_new(const struct tcp_options *o)
{
	struct tcp *t = mem_new(1, sizeof *t);

	t->options = *o;
	t->session_limit = allow_sessions(o->sessions_max);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->threads = mem_new(o->threads, sizeof *t->threads);
	for (size_t i = 0; i < o->threads; i++) {
		struct session_room *room = &t->threads[i].room;
		t->threads[i].tcp = t;
		t->threads[i].epoll = -1;
		room->leftover_bytes = &t->leftover_bytes;
		room->leftover_max = LEFTOVER_MAX;
		room->transfers = o->transfers;
		room->tap = taps_get(o->taps, o->first_tap + i);
		room->watch = watches_get(o->watches, o->first_tap + i);
		room->from.transport = ANSWER_TCP;
		room->from.identity = o->identity;
		room->from.limits = limits_new(o->limits);
		if (o->signatures_per_second)
			room->from.rrsigs = rrsig_cache_new(o->signatures_per_second);
		room->stats = aligned_alloc(64, sizeof *room->stats);
		if (!room->stats)
			abort();
		memset(room->stats, 0, sizeof *room->stats);
	}
	return t;
}

bool tcp_listen(struct tcp *t, const struct socket_address *address, struct err *err)
{
	int fd;

	if (t->listener_count == LISTENERS_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d addresses to listen on", LISTENERS_MAX);
	fd = socket_listen(address, err);
	if (fd < 0)
		return false;
	t->listeners[t->listener_count++] = fd;
	return true;
}

/* One connection wakes one thread, not all (EPOLLEXCLUSIVE). */
static bool watch_listeners(struct thread *t, struct err *err)
{
	struct tcp *tcp = t->tcp;
	struct epoll_event e = {.events = EPOLLIN};

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, tcp->wake, &e) != 0)
		return err_errno(err, "cannot wait for TCP");
	for (size_t i = 0; i < tcp->listener_count; i++) {
		e = (struct epoll_event){EPOLLIN | EPOLLEXCLUSIVE, {.ptr = &tcp->listeners[i]}};
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, tcp->listeners[i], &e) != 0)
			return err_errno(err, "cannot wait for TCP");
	}
	return true;
}

bool tcp_start(struct tcp *t, struct grace *g, size_t first_reader, struct err *err)
{
	sigset_t all, old;

	sigfillset(&all); /* signals are for the loop */
	for (size_t i = 0; i < t->options.threads; i++) {
		struct thread *thread = &t->threads[i];
		thread->reader = grace_reader(g, first_reader + i);
		if (!watch_listeners(thread, err))
			return false;
		pthread_sigmask(SIG_SETMASK, &all, &old);
		errno = pthread_create(&thread->id, NULL, run, thread);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		thread->running = errno == 0;
		if (!thread->running)
			return err_errno(err, "cannot start a thread");
	}
	return true;
}

void tcp_log(struct tcp *t, struct query_log *log)
{
	for (size_t i = 0; i < t->options.threads; i++)
		t->threads[i].room.log = log;
}

size_t tcp_threads(const struct tcp *t)
{
	return t->options.threads;
}

size_t tcp_sessions(const struct tcp *t)
{
	return atomic_load(&t->session_count);
}

size_t tcp_sessions_max(const struct tcp *t)
{
	return t->session_limit;
}

void tcp_stats_add(struct stats *sum, const struct tcp *t)
{
	for (size_t i = 0; i < t->options.threads; i++)
		stats_add(sum, t->threads[i].room.stats);
}

static void thread_done(struct thread *t)
{
	if (t->running)
		pthread_join(t->id, NULL);
	while (t->last)
		session_close(t, t->last);
	if (t->epoll >= 0)
		close(t->epoll);
	rrsig_cache_free(t->room.from.rrsigs);
	limits_free(t->room.from.limits);
	free(t->room.stats);
}

struct tcp *tcp_free(struct tcp *t)
{
	uint64_t one = 1;

	if (!t)
		return NULL;
	atomic_store(&t->stop, true);
	if (write(t->wake, &one, sizeof one) != sizeof one)
		abort();
	for (size_t i = 0; i < t->options.threads; i++)
		thread_done(&t->threads[i]);
	for (size_t i = 0; i < t->listener_count; i++)
		close(t->listeners[i]);
	close(t->wake);
	free(t->threads);
	free(t);
	return NULL;
}
