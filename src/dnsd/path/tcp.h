/* tcp.h - DNS over TCP (RFC 7766): pipelined questions, an idle time, a limit on sessions. Threads of its
 * own, which share the listening sockets; a session stays with the thread that accepted it. */
#pragma once

#include "base/err.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"
#include "dnsd/see/stats.h"
#include "dnsd/see/tap.h"
#include "dnsd/see/watch.h"
#include "io/socket.h"

struct query_log;
struct tcp;
struct limits_setup;

#define TCP_TRANSFER_LOST SIZE_MAX

/* Replies of many messages (zone transfers). Called in the session's thread, between grace_enter() and
 * grace_leave(); what a transfer keeps from one call to the next must be its own. While one goes on,
 * further questions of its session wait. */
struct tcp_transfers {
	/* A transfer that answers this message; NULL: it is not for us, answer() is asked. */
	void *(*open)(void *ctx, const struct answer_from *from, struct slice message);
	/* The next message, of at most ANSWER_SIZE_TCP bytes; 0: that was all; TCP_TRANSFER_LOST: there
	 * cannot be more, and the session ends. */
	size_t (*next)(void *transfer, uint8_t *out);
	void (*close)(void *transfer); /* at its end, and when the session is lost */
	void *ctx;
};

struct tcp_options {
	_Atomic(struct served *) *served;
	const struct identity *identity;
	const struct limits_setup *limits;
	size_t threads;
	size_t sessions_max; /* of all threads; the one silent longest goes when one more comes */
	int64_t idle_ms; /* without a whole question; what the peer does not take counts as idle */
	unsigned signatures_per_second;	       /* for signed zones, see worker_new() */
	const struct tcp_transfers *transfers; /* NULL: none; borrowed */
	struct taps *taps;		       /* NULL: no query log */
	struct watches *watches;
	size_t first_tap; /* of the first thread; likewise its watch */
};

struct tcp *tcp_new(const struct tcp_options *o);
bool tcp_listen(struct tcp *t, const struct socket_address *address, struct err *err);
/* No thread before it, so rights may be given up after tcp_listen(). Thread i reads with
 * grace_reader(g, first_reader + i). */
bool tcp_start(struct tcp *t, struct grace *g, size_t first_reader, struct err *err);
/* Before tcp_start(): every question is logged there, too. */
void tcp_log(struct tcp *t, struct query_log *log);
size_t tcp_threads(const struct tcp *t);
size_t tcp_sessions(const struct tcp *t);
size_t tcp_sessions_max(const struct tcp *t); /* as far as the system lets us */
void tcp_stats_add(struct stats *sum, const struct tcp *t);
struct tcp *tcp_free(struct tcp *t); /* ends its threads and sessions; NULL is fine */
