/* transport.c - how questions travel: a pool of connected UDP sockets for each server, each used for a
 * while and then replaced by one with a new random port, and TCP when an answer was cut. */
#include "resolve/question.h"

#include "base/mem.h"
#include "io/random.h"
#include "io/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READS_AT_ONCE 32 /* then others get their turn */

struct udp_socket {
	struct upstream *upstream;
	struct udp_socket *
		*place; /* in the pool; NULL: replaced, lives until its answers are here */
	struct loop_watch *watch;
	int fd;
	unsigned uses;
	bool reading; /* inside socket_readable(): not to be freed */
	LIST_HEAD(, attempt) attempts;
};

static void socket_close(struct udp_socket *s)
{
	if (s->place)
		*s->place = NULL;
	s->place = NULL;
	if (s->reading)
		return;
	loop_watch_free(s->watch);
	close(s->fd);
	free(s);
}

void attempt_forget(struct attempt *a)
{
	struct udp_socket *s = a->socket;

	if (!s)
		return;
	LIST_REMOVE(a, on_socket);
	a->socket = NULL;
	if (!s->place && LIST_EMPTY(&s->attempts))
		socket_close(s);
}

/* A datagram came. Which of the questions sent from this port does it answer? */
static void socket_datagram(struct udp_socket *s, struct slice message)
{
	struct dns_reply reply;
	struct attempt *a;
	uint16_t id;

	if (message.len < DNS_HEADER_SIZE) {
		resolver_count_mismatch(s->upstream);
		return;
	}
	id = dns_u16((const uint8_t *)message.ptr);
	LIST_FOREACH(a, &s->attempts, on_socket)
	{
		if (a->query.id != id)
			continue;
		switch (dns_reply_parse(message, &a->query, &reply)) {
		case DNS_REPLY_OK:
			question_answered(a->question, a, &reply);
			return;
		case DNS_REPLY_MALFORMED:
			question_attempt_failed(a->question, a, RESOLVE_FAILED, true);
			return;
		case DNS_REPLY_STRANGE:
			break;
		}
	}
	resolver_count_mismatch(s->upstream);
}

static void socket_readable(void *ctx, int fd, unsigned events)
{
	struct udp_socket *s = ctx;
	uint8_t bytes[DNS_UDP_EDNS + 1];
	struct attempt *a;

	s->reading = true;
	for (int i = 0; i < READS_AT_ONCE && !LIST_EMPTY(&s->attempts); i++) {
		ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

		if (n >= 0) {
			socket_datagram(s, slice_of(bytes, (size_t)n));
			continue;
		}
		if (errno == EAGAIN || errno == EINTR)
			break;
		/* ICMP told that nobody listens there */
		while ((a = LIST_FIRST(&s->attempts)))
			question_attempt_failed(a->question, a, RESOLVE_FAILED, false);
	}
	/* What nobody waits for must not wake the loop for ever. */
	if (LIST_EMPTY(&s->attempts))
		while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0)
			resolver_count_mismatch(s->upstream);
	s->reading = false;
	if (!s->place && LIST_EMPTY(&s->attempts))
		socket_close(s);
}

static struct udp_socket *socket_open(
	struct loop *l, struct upstream *u, unsigned server, uint8_t random)
{
	struct udp_socket **place = &u->pool[server][random % POOL_SOCKETS];
	struct udp_socket *s = *place;
	int fd;

	if (s && s->uses < SOCKET_USES) {
		s->uses++;
		return s;
	}
	if (s) {
		s->place = NULL;
		if (LIST_EMPTY(&s->attempts))
			socket_close(s);
		*place = NULL;
	}
	fd = socket_connect_udp(&u->servers[server], NULL);
	if (fd < 0)
		return NULL;
	s = mem_new(1, sizeof *s);
	s->upstream = u;
	s->place = place;
	s->fd = fd;
	s->uses = 1;
	LIST_INIT(&s->attempts);
	s->watch = loop_watch_new(l, fd, LOOP_READ, socket_readable, s);
	*place = s;
	return s;
}

/* What a forger has to guess, from one call of the system. */
struct luck {
	uint16_t id;
	uint8_t case_bits[32], place;
};

static void attempt_query(struct attempt *a, const struct luck *luck, bool last)
{
	const struct question *q = a->question;

	a->query = (struct dns_query){
		.name = q->name,
		.type = q->type,
		.id = luck->id,
		.recursion = true,
		.edns = !q->no_edns,
		/* A server that does not echo the case of letters is heard at the last attempt. */
		.mix_case = !last,
	};
	memcpy(a->query.case_bits, luck->case_bits, sizeof a->query.case_bits);
}

bool question_send(struct loop *l, struct question *q)
{
	uint8_t bytes[DNS_QUERY_MAX];
	struct attempt *a;
	struct udp_socket *s;
	struct luck luck;
	size_t len;

	if (q->attempt_count == ATTEMPTS_MAX)
		return false;
	a = &q->attempts[q->attempt_count];
	*a = (struct attempt){.question = q, .server = q->next_server};
	q->next_server = (unsigned)((q->next_server + 1) % q->upstream->server_count);
	random_bytes(&luck, sizeof luck);
	attempt_query(a, &luck, ++q->attempt_count == ATTEMPTS_MAX);
	s = socket_open(l, q->upstream, a->server, luck.place);
	if (!s)
		return false;
	a->socket = s;
	LIST_INSERT_HEAD(&s->attempts, a, on_socket);
	len = dns_query_write(&a->query, bytes);
	/* Full buffers are a lost datagram like any other: the next attempt comes. */
	if (send(s->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN
		&& errno != ENOBUFS && errno != EINTR && errno != ECONNREFUSED) {
		attempt_forget(a);
		return false;
	}
	return true;
}

/* ---- TCP (RFC 7766): one question, one connection ---- */

struct tcp_try {
	struct question *question; /* NULL: forgotten */
	struct attempt *attempt;
	struct stream *stream;
};

static size_t tcp_input(void *ctx, struct slice bytes)
{
	struct tcp_try *t = ctx;
	struct question *q = t->question;
	struct dns_reply reply;
	size_t len;

	if (!q || bytes.len < 2)
		return q ? 0 : bytes.len;
	len = dns_u16((const uint8_t *)bytes.ptr);
	if (bytes.len < 2 + len)
		return 0;
	t->question = NULL;
	q->tcp = NULL;
	stream_abort(t->stream);
	if (dns_reply_parse(slice_of(bytes.ptr + 2, len), &t->attempt->query, &reply)
			== DNS_REPLY_OK
		&& !reply.truncated)
		question_answered(q, t->attempt, &reply);
	else
		question_attempt_failed(q, t->attempt, RESOLVE_FAILED, true);
	return bytes.len;
}

static void tcp_closed(void *ctx, const char *why)
{
	struct tcp_try *t = ctx;
	struct question *q = t->question;

	if (q) {
		q->tcp = NULL;
		question_attempt_failed(q, t->attempt, RESOLVE_FAILED, true);
	}
	free(t);
}

bool question_send_tcp(struct loop *l, struct question *q, const struct attempt *a)
{
	static const struct stream_handler handler = {tcp_input, tcp_closed};
	uint8_t bytes[2 + DNS_QUERY_MAX];
	struct attempt *mine = &q->attempts[a - q->attempts];
	int fd = socket_connect_stream(&q->upstream->servers[a->server], NULL);
	struct tcp_try *t;
	size_t len;

	if (fd < 0)
		return false;
	t = mem_new(1, sizeof *t);
	t->question = q;
	t->attempt = mine;
	q->tcp = t;
	t->stream = stream_new(l, fd, 2 + DNS_MESSAGE_MAX, sizeof bytes, &handler, t);
	random_bytes(&mine->query.id, sizeof mine->query.id);
	len = dns_query_write(&mine->query, bytes + 2);
	dns_put_u16(bytes, (uint16_t)len);
	stream_write(t->stream, slice_of(bytes, 2 + len));
	return true;
}

bool question_is_open(const struct question *q)
{
	for (unsigned i = 0; i < q->attempt_count; i++)
		if (q->attempts[i].socket)
			return true;
	return q->tcp != NULL;
}

void question_forget(struct question *q)
{
	for (unsigned i = 0; i < q->attempt_count; i++)
		attempt_forget(&q->attempts[i]);
	if (q->tcp) {
		q->tcp->question = NULL;
		stream_abort(q->tcp->stream);
		q->tcp = NULL;
	}
}

void upstream_close(struct upstream *u)
{
	for (size_t i = 0; i < u->server_count; i++)
		for (size_t k = 0; k < POOL_SOCKETS; k++)
			if (u->pool[i][k])
				socket_close(u->pool[i][k]);
}
