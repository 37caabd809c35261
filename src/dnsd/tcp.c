/* tcp.c - DNS over TCP. */
#include "dnsd/tcp.h"

#include "base/attr.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/stream.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#define LISTENERS_MAX 64
#define IN_LIMIT (DNS_MESSAGE_MAX + 2 + 16384)
#define OUT_HIGH ((size_t)128 * 1024) /* unsent: stop reading questions ... */
#define OUT_LOW ((size_t)32 * 1024)   /* ... until it is less than this */
#define OUT_LIMIT (OUT_HIGH + DNS_MESSAGE_MAX + 2)
#define RESUME_MS 10
#define ACCEPTS_PER_EVENT 64
#define OTHER_FILES                                                                                \
	64 /* besides sessions: UDP sockets are open already; data files, the change log */

struct session {
	struct session *next, *prev; /* the one that spoke last is first */
	struct tcp *tcp;
	struct stream *stream;
	struct loop_timer *resume;
	struct ip peer;
	bool finishing;
};

struct tcp {
	struct loop *loop;
	_Atomic(struct served *) *served;
	size_t session_count, sessions_max;
	int64_t idle_ms;
	struct session *first, *last;
	struct stats *stats;
	loop_fn *stopped; /* tcp_stop() was called */
	void *stopped_ctx;
	size_t listener_count;
	struct {
		int fd;
		struct loop_watch *watch;
	} listeners[LISTENERS_MAX];
	uint8_t reply[2 + ANSWER_SIZE_TCP];
};

static void session_unlink(struct session *s)
{
	*(s->prev ? &s->prev->next : &s->tcp->first) = s->next;
	*(s->next ? &s->next->prev : &s->tcp->last) = s->prev;
}

static void session_to_front(struct session *s)
{
	s->prev = NULL;
	s->next = s->tcp->first;
	*(s->next ? &s->next->prev : &s->tcp->last) = s;
	s->tcp->first = s;
}

static void resume(void *ctx)
{
	struct session *s = ctx;

	if (stream_unsent(s->stream) < OUT_LOW)
		stream_pause(s->stream, false);
	else
		loop_timer_set(s->resume, RESUME_MS);
}

static void answer_one(struct session *s, struct slice message)
{
	struct tcp *t = s->tcp;
	struct answer_note note;
	struct answer_from from = {s->peer, ANSWER_TCP, clock_unix_ms() / 1000};
	size_t n = answer(atomic_load(t->served), &from, message, t->reply + 2, &note);

	stats_count(t->stats, message.len, n, &note);
	if (n == 0) { /* no DNS: whatever comes next would not be either */
		s->finishing = true;
		stream_abort(s->stream);
		return;
	}
	dns_put_u16(t->reply, (uint16_t)n);
	stream_write(s->stream, slice_of(t->reply, n + 2));
}

static size_t session_input(void *ctx, struct slice bytes)
{
	struct session *s = ctx;
	size_t used = 0;

	while (!s->finishing && bytes.len - used >= 2) {
		const uint8_t *p = (const uint8_t *)bytes.ptr + used;
		size_t len = dns_u16(p);
		if (bytes.len - used - 2 < len)
			break;
		if (stream_unsent(s->stream) > OUT_HIGH) {
			stream_pause(s->stream, true);
			loop_timer_set(s->resume, RESUME_MS);
			break;
		}
		answer_one(s, slice_of(p + 2, len));
		used += 2 + len;
	}
	if (used && !s->finishing) {
		/* Only whole questions count as activity, so that single bytes keep nothing open. */
		stream_deadline(s->stream, s->tcp->idle_ms);
		session_unlink(s);
		session_to_front(s);
	}
	return s->finishing ? bytes.len : used;
}

static void session_closed(void *ctx, const char *why)
{
	struct session *s = ctx;
	struct tcp *t = s->tcp;

	(void)why;
	session_unlink(s);
	t->session_count--;
	loop_timer_free(s->resume);
	free(s);
	if (t->stopped && t->session_count == 0)
		t->stopped(t->stopped_ctx);
}

static void session_abort(struct session *s)
{
	if (s->finishing)
		return;
	s->finishing = true;
	stream_abort(s->stream);
}

/* Full: the one that has been silent longest goes (RFC 7766, 6.2.3 lets us). */
static void make_room(struct tcp *t)
{
	struct session *old = t->last;

	while (old && old->finishing)
		old = old->prev;
	if (old)
		session_abort(old);
}

static void accept_one(struct tcp *t, int fd, const struct socket_address *peer)
{
	static const struct stream_handler handler = {session_input, session_closed};
	struct session *s = mem_new(1, sizeof *s);

	if (t->session_count >= t->sessions_max)
		make_room(t);
	s->tcp = t;
	s->peer = ip_unmap(socket_address_ip(peer, NULL));
	s->resume = loop_timer_new(t->loop, resume, s);
	s->stream = stream_new(t->loop, fd, IN_LIMIT, OUT_LIMIT, &handler, s);
	stream_deadline(s->stream, t->idle_ms);
	session_to_front(s);
	t->session_count++;
}

static void acceptable(void *ctx, int listener, unsigned events)
{
	struct tcp *t = ctx;
	struct socket_address peer;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		int fd = socket_accept(listener, &peer);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM
				|| errno == ENOBUFS)
				make_room(t);
			return;
		}
		accept_one(t, fd, &peer);
	}
}

/* Each session is an open file: ask for as many as the configuration wants, or take fewer sessions. */
static size_t allow_sessions(size_t wanted)
{
	struct rlimit limit;
	rlim_t files = (rlim_t)wanted + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files)
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

struct tcp *tcp_new(
	struct loop *l, _Atomic(struct served *) *served, size_t sessions_max, int64_t idle_ms)
{
	struct tcp *t = mem_new(1, sizeof *t);

	t->loop = l;
	t->served = served;
	t->sessions_max = allow_sessions(sessions_max);
	t->idle_ms = idle_ms;
	t->stats = aligned_alloc(64, sizeof *t->stats);
	if (!t->stats)
		abort();
	memset(t->stats, 0, sizeof *t->stats);
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
	t->listeners[t->listener_count].fd = fd;
	t->listeners[t->listener_count].watch =
		loop_watch_new(t->loop, fd, LOOP_READ, acceptable, t);
	t->listener_count++;
	return true;
}

const struct stats *tcp_stats(const struct tcp *t)
{
	return t->stats;
}

static void close_listeners(struct tcp *t)
{
	for (size_t i = 0; i < t->listener_count; i++) {
		loop_watch_free(t->listeners[i].watch);
		close(t->listeners[i].fd);
	}
	t->listener_count = 0;
}

void tcp_stop(struct tcp *t, loop_fn *fn, void *ctx)
{
	close_listeners(t);
	t->stopped = fn;
	t->stopped_ctx = ctx;
	for (struct session *s = t->first; s; s = s->next)
		session_abort(s);
	if (t->session_count == 0)
		fn(ctx);
}

struct tcp *tcp_free(struct tcp *t)
{
	if (!t)
		return NULL;
	close_listeners(t);
	free(t->stats);
	free(t);
	return NULL;
}
