/* tcp.h - DNS over TCP (RFC 7766): pipelined questions, an idle time, a limit on sessions. Runs in the
 * loop. */
#pragma once

#include "base/err.h"
#include "dnsd/served.h"
#include "dnsd/stats.h"
#include "io/loop.h"
#include "io/socket.h"

struct tcp;

struct tcp *tcp_new(
	struct loop *l, _Atomic(struct served *) *served, size_t sessions_max, int64_t idle_ms);
bool tcp_listen(struct tcp *t, const struct socket_address *address, struct err *err);
const struct stats *tcp_stats(const struct tcp *t);
/* Takes no more sessions, closes those there are, then calls fn (from the loop, or at once). */
void tcp_stop(struct tcp *t, loop_fn *fn, void *ctx);
/* Not before tcp_stop() has called back. NULL is fine. */
struct tcp *tcp_free(struct tcp *t);
