/* worker.h - one thread, one UDP socket: batches in, answers out. Workers share nothing that they write. */
#pragma once

#include "base/err.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"
#include "dnsd/see/stats.h"
#include "dnsd/see/tap.h"
#include "dnsd/see/watch.h"
#include "io/socket.h"

struct query_log;
struct worker;
struct limits_setup;

/* Binds its own socket (SO_REUSEPORT) to the address; no thread yet, so rights may be given up after.
 * signatures_per_second: for signed zones; 0: there are none. */
struct worker *worker_new(
	const struct socket_address *address, unsigned signatures_per_second, struct err *err);
/* From here it answers from *served, whatever it points to at the time. tap NULL: no query log. */
bool worker_start(struct worker *w, _Atomic(struct served *) *served,
	const struct identity *identity, const struct limits_setup *limits,
	struct grace_reader *reader, struct tap *tap, struct err *err);
/* For all `count` workers of w's address: the n-th one made gets what processors n, n + count ... receive.
 * count 0: the kernel's hash of addresses and ports decides again. False: the kernel does not want to. */
bool worker_steer(struct worker *w, size_t count);
/* Before worker_start(): where samples go while somebody watches. */
void worker_watch(struct worker *w, struct watch *watch);
/* The kernel notes when it receives a message: for the latency of samples. */
void worker_stamp(struct worker *w, bool on);
/* Before worker_start(): every question is logged there, too. */
void worker_log(struct worker *w, struct query_log *log);
const struct stats *worker_stats(const struct worker *w);
/* Stops the thread, closes the socket; NULL is fine. */
struct worker *worker_free(struct worker *w);
