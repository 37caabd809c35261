/* question.h - inside resolve/: one question on its way to an upstream, and who waits for it. What
 * becomes of it is decided in resolve.c; how it travels, in transport.c. */
#pragma once

#include "dns/reply.h"
#include "io/socket.h"
#include "resolve/cache.h"

#include <sys/queue.h>

#define SERVERS_MAX 8
#define ATTEMPTS_MAX 3	/* datagrams sent for one question */
#define POOL_SOCKETS 8	/* of one server: a forger has to guess the port too */
#define SOCKET_USES 200 /* then it is replaced by one with a new port */

struct question;
struct udp_socket;
struct tcp_try;

/* One datagram sent. It is answered, or forgotten with its question. */
struct attempt {
	struct question *question;
	struct udp_socket *socket; /* NULL: was answered or failed */
	unsigned server;
	struct dns_query query;
	LIST_ENTRY(attempt) on_socket;
};

struct question {
	struct upstream *upstream;
	struct question *next_open; /* in its bucket of the table of open questions */
	size_t bucket;
	TAILQ_ENTRY(question) in_line;	/* while queued */
	LIST_ENTRY(question) in_flight; /* while sent */
	bool sent;
	struct domain name;
	uint16_t type;
	bool no_edns; /* a server did not understand it */
	unsigned attempt_count, next_server;
	struct attempt attempts[ATTEMPTS_MAX];
	struct tcp_try *tcp;
	int64_t give_up_ms, retry_every_ms;
	struct loop_timer *timer;
	enum resolve_status failure; /* what the last failed attempt said */
	TAILQ_HEAD(lookup_list, lookup) waiters;
};

struct upstream {
	struct resolver *resolver;
	struct upstream *next;
	uint32_t number;
	size_t server_count;
	struct socket_address servers[SERVERS_MAX];
	struct udp_socket *pool[SERVERS_MAX][POOL_SOCKETS];
	LIST_HEAD(, question) flying;
	TAILQ_HEAD(, question) line;
	uint32_t flying_count, line_count;
	bool sending;
	/* breaker */
	unsigned silent;     /* questions in a row that nothing came back for */
	int64_t probe_at_ms; /* suspended: when the next question may go out */
};

/* ---- transport.c ---- */
/* Sends the next datagram; false when there is no way to send one. */
bool question_send(struct loop *l, struct question *q);
/* Asks the server of `a` again over TCP. */
bool question_send_tcp(struct loop *l, struct question *q, const struct attempt *a);
/* What still comes back for a belongs to nobody. */
void attempt_forget(struct attempt *a);
/* An answer may still come. */
bool question_is_open(const struct question *q);
/* Nothing that still comes back belongs to q any more. */
void question_forget(struct question *q);
/* Closes the sockets of an upstream without questions. */
void upstream_close(struct upstream *u);

/* ---- resolve.c, called by transport.c; q may be gone when they return ---- */
void question_answered(struct question *q, struct attempt *a, const struct dns_reply *reply);
/* heard: the server said something, so it is there. */
void question_attempt_failed(
	struct question *q, struct attempt *a, enum resolve_status why, bool heard);
void resolver_count_mismatch(struct upstream *u);
