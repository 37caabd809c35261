/* transfer.h - zone transfers out: AXFR (RFC 5936), IXFR (RFC 1995), and word of changes (NOTIFY, RFC 1996).
 * The loop tells it what changes; sessions of TCP ask it for transfers from their own threads. A transfer
 * is of one serial, whatever changes meanwhile: it holds on to the snapshot and has a copy of the changes
 * since. */
#pragma once

#include "dnsd/answer/secondaries.h"
#include "dnsd/data/site.h"
#include "dnsd/path/tcp.h"

struct transfers;

/* The last transfer of a zone to an address. */
struct transfer_seen {
	struct ip peer;
	struct domain zone;
	uint32_t serial;	/* of the last one that was finished */
	bool has_serial;	/* there was one */
	bool finished;		/* the last one was */
	bool whole;		/* not only changes */
	int64_t at_ms, took_ms; /* at: its end, since 1970 */
	uint64_t records, bytes;
};

/* Opens the sockets of NOTIFY. The configuration and what secondaries_init() made of it must outlive it. */
struct transfers *transfers_new(struct loop *l, const struct config *config,
	const struct secondaries *secondaries, _Atomic(struct served *) *served, struct err *err);
/* No session may be left. NULL is fine. */
struct transfers *transfers_free(struct transfers *t);

const struct tcp_transfers *transfers_tcp(struct transfers *t);
/* What the site calls around changes; NULL: nobody may transfer anything. */
const struct site_watcher *transfers_watcher(struct transfers *t);
/* A copy of the last ones, of the addresses that came last; free() it. */
struct transfer_seen *transfers_seen(struct transfers *t, size_t *ret_count);
size_t transfers_running(const struct transfers *t);
const struct notify *transfers_notify(const struct transfers *t);
/* Something else is served from now on; ix: the site's index, NULL while there is none. */
void transfers_serve(struct transfers *t, const struct served *s, const struct index *ix);
