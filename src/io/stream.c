/* stream.c - buffered byte streams, in plain or in TLS. */
#include "io/stream.h"
#include "base/buf.h"
#include "base/mem.h"
#include "io/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK ((size_t)16384)
#define READS_PER_EVENT 8 /* then others get their turn */
#define LINGER_MS 2000

enum stream_state {
	STREAM_OPEN,
	STREAM_FINISHING, /* sends what is written, takes nothing more */
	STREAM_LINGERING, /* our side shut; waits for the peer's, so that no reset eats our last words */
	STREAM_DEAD,	  /* `closed` is about to be called from the loop */
};
enum tls_state { TLS_NONE, TLS_WANTED, TLS_HANDSHAKE, TLS_ON };

struct stream {
	int fd;
	enum stream_state state;
	enum tls_state tls_state;
	bool paused, tls_resend, in_input;
	struct buf in, out;
	size_t out_at; /* sent so far of out */
	struct loop_watch *watch;
	struct loop_timer *deadline, *kick;
	const struct stream_handler *handler;
	void *ctx;
	const char *why;
	struct tls_server *tls;
	gnutls_session_t session;
};

static void die(struct stream *s, const char *why)
{
	if (s->state == STREAM_DEAD)
		return;
	s->state = STREAM_DEAD;
	s->why = why;
	loop_watch_set(s->watch, 0);
	loop_timer_stop(s->deadline);
	loop_timer_set(s->kick, 0);
}

static void set_watch(struct stream *s)
{
	unsigned events = 0;

	if (s->state == STREAM_DEAD)
		return;
	if (s->tls_state == TLS_HANDSHAKE)
		events = gnutls_record_get_direction(s->session) ? LOOP_WRITE : LOOP_READ;
	else {
		if (stream_unsent(s))
			events |= LOOP_WRITE;
		if ((!s->paused && s->state == STREAM_OPEN && s->tls_state != TLS_WANTED)
			|| s->state == STREAM_LINGERING)
			events |= LOOP_READ;
	}
	loop_watch_set(s->watch, events);
}

/* Bytes read or sent, 0 at the end of input, -1 would block, -2 broken. */
static ssize_t tls_result(ssize_t n)
{
	if (n >= 0)
		return n;
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return -1;
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -2;
}

static ssize_t plain_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? -1 : -2;
}

static ssize_t take(struct stream *s, void *to, size_t len)
{
	if (s->tls_state == TLS_ON)
		return tls_result(gnutls_record_recv(s->session, to, len));
	return plain_result(recv(s->fd, to, len, 0));
}

static ssize_t give(struct stream *s, const char *from, size_t len)
{
	ssize_t n;

	if (s->tls_state != TLS_ON)
		return plain_result(send(s->fd, from, len, MSG_NOSIGNAL));
	/* GnuTLS keeps a record it could not send; asking again must not give it new bytes. */
	n = s->tls_resend ? gnutls_record_send(s->session, NULL, 0)
			  : gnutls_record_send(s->session, from, MIN(len, CHUNK));
	n = tls_result(n);
	s->tls_resend = n == -1;
	return n;
}

static void begin_handshake(struct stream *s)
{
	if (gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0
		|| gnutls_priority_set(s->session, s->tls->priority) != 0
		|| gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->tls->credentials)
			   != 0) {
		die(s, "tls");
		return;
	}
	gnutls_transport_set_int(s->session, s->fd);
	buf_reset(&s->in);
	s->tls_state = TLS_HANDSHAKE;
}

static void step_handshake(struct stream *s)
{
	int rc = gnutls_handshake(s->session);

	if (rc == 0)
		s->tls_state = TLS_ON;
	else if (rc < 0 && gnutls_error_is_fatal(rc))
		die(s, "tls");
}

static void all_sent(struct stream *s)
{
	buf_reset(&s->out);
	s->out_at = 0;
	if (s->tls_state == TLS_WANTED)
		begin_handshake(s);
	else if (s->state == STREAM_FINISHING) {
		if (s->tls_state == TLS_ON)
			gnutls_bye(s->session, GNUTLS_SHUT_WR);
		s->state = STREAM_LINGERING;
		shutdown(s->fd, SHUT_WR);
		loop_timer_set(s->deadline, LINGER_MS);
	}
}

static void flush(struct stream *s)
{
	while (s->state != STREAM_DEAD && s->tls_state != TLS_HANDSHAKE && stream_unsent(s)) {
		ssize_t n = give(s, s->out.ptr + s->out_at, stream_unsent(s));
		if (n == -1)
			return;
		if (n <= 0) {
			die(s, "error");
			return;
		}
		s->out_at += (size_t)n;
	}
	if (s->state != STREAM_DEAD && s->tls_state != TLS_HANDSHAKE && !stream_unsent(s))
		all_sent(s);
}

/* Gives the handler what lies in `in`, as long as it consumes something. */
static void deliver(struct stream *s)
{
	size_t used = 1;

	while (used && s->in.len && s->state == STREAM_OPEN && !s->paused
		&& s->tls_state != TLS_WANTED && s->tls_state != TLS_HANDSHAKE) {
		s->in_input = true;
		used = s->handler->input(s->ctx, buf_slice(&s->in));
		s->in_input = false;
		buf_consume(&s->in, used);
	}
	if (s->state == STREAM_OPEN && !s->paused && s->tls_state != TLS_WANTED
		&& s->in.len == s->in.limit)
		die(s, "limit");
}

static void linger(struct stream *s)
{
	char scrap[4096];
	ssize_t n;

	/* TLS or not does not matter any more. */
	while ((n = plain_result(recv(s->fd, scrap, sizeof scrap, 0))) > 0)
		;
	if (n != -1)
		die(s, "closed");
}

static void read_some(struct stream *s)
{
	for (int i = 0;
		i < READS_PER_EVENT || (s->session && gnutls_record_check_pending(s->session));
		i++) {
		size_t room = MIN(s->in.limit - s->in.len, CHUNK);
		ssize_t n;

		if (s->state != STREAM_OPEN || s->paused || s->tls_state == TLS_WANTED
			|| s->tls_state == TLS_HANDSHAKE || room == 0)
			return;
		n = take(s, buf_room(&s->in, room), room);
		if (n == -1)
			return;
		if (n <= 0) {
			/* The peer said all it wanted; our answer may still be on its way. */
			if (n == 0 && stream_unsent(s))
				s->state = STREAM_FINISHING;
			else
				die(s, n == 0 ? "closed" : "error");
			return;
		}
		s->in.len += (size_t)n;
		s->in.ptr[s->in.len] = '\0';
		deliver(s);
	}
}

static void ready(void *ctx, int fd, unsigned events)
{
	struct stream *s = ctx;

	(void)fd;
	if (s->tls_state == TLS_HANDSHAKE) {
		step_handshake(s);
	} else {
		if (events & LOOP_WRITE)
			flush(s);
		if (events & LOOP_READ && s->state == STREAM_LINGERING)
			linger(s);
		else if (events & LOOP_READ)
			read_some(s);
	}
	flush(s);
	set_watch(s);
}

static void deadline_passed(void *ctx)
{
	struct stream *s = ctx;

	die(s, s->state == STREAM_LINGERING ? "closed" : "timeout");
}

static void free_dead(struct stream *s)
{
	s->handler->closed(s->ctx, s->why);
	if (s->session)
		gnutls_deinit(s->session);
	loop_watch_free(s->watch);
	loop_timer_free(s->deadline);
	loop_timer_free(s->kick);
	close(s->fd);
	buf_done(&s->in);
	buf_done(&s->out);
	free(s);
}

static void kicked(void *ctx)
{
	struct stream *s = ctx;

	if (s->state == STREAM_DEAD) {
		free_dead(s);
		return;
	}
	deliver(s);
	if (s->session && s->tls_state == TLS_ON && gnutls_record_check_pending(s->session))
		read_some(s);
	flush(s);
	set_watch(s);
}

struct stream *stream_new(struct loop *l, int fd, size_t in_limit, size_t out_limit,
	const struct stream_handler *handler, void *ctx)
{
	struct stream *s = mem_new(1, sizeof *s);

	*s = (struct stream){.fd = fd, .handler = handler, .ctx = ctx};
	s->in = BUF_INIT(in_limit);
	s->out = BUF_INIT(out_limit);
	s->deadline = loop_timer_new(l, deadline_passed, s);
	s->kick = loop_timer_new(l, kicked, s);
	s->watch = loop_watch_new(l, fd, LOOP_READ, ready, s);
	return s;
}

void stream_write(struct stream *s, struct slice bytes)
{
	if (s->state != STREAM_OPEN)
		return;
	if (s->out_at > s->out.len / 2) {
		buf_consume(&s->out, s->out_at);
		s->out_at = 0;
	}
	buf_add_slice(&s->out, bytes);
	if (s->out.failed)
		die(s, "limit");
	else if (!s->in_input) {
		flush(s);
		set_watch(s);
	}
}

size_t stream_unsent(const struct stream *s)
{
	return s->out.len - s->out_at;
}

void stream_deadline(struct stream *s, int64_t ms)
{
	if (s->state == STREAM_DEAD || s->state == STREAM_LINGERING)
		return;
	if (ms > 0)
		loop_timer_set(s->deadline, ms);
	else
		loop_timer_stop(s->deadline);
}

void stream_pause(struct stream *s, bool paused)
{
	if (s->state == STREAM_DEAD || s->paused == paused)
		return;
	s->paused = paused;
	if (!paused)
		loop_timer_set(s->kick, 0);
	if (!s->in_input)
		set_watch(s);
}

void stream_start_tls(struct stream *s, struct tls_server *tls)
{
	if (s->state != STREAM_OPEN || s->tls_state != TLS_NONE)
		return;
	s->tls = tls;
	s->tls_state = TLS_WANTED;
	if (!s->in_input) {
		flush(s);
		set_watch(s);
	}
}

void stream_finish(struct stream *s)
{
	if (s->state != STREAM_OPEN)
		return;
	s->state = STREAM_FINISHING;
	if (!s->in_input) {
		flush(s);
		set_watch(s);
	}
}

void stream_abort(struct stream *s)
{
	die(s, "closed");
}
