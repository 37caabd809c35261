/* stats.h - counters of one thread; others may read them at any time. */
#pragma once

#include "dnsd/answer/answer.h"

#define STATS_RCODES 24 /* up to BADCOOKIE */

struct stats {
	_Alignas(64) _Atomic uint64_t queries; /* messages received */
	_Atomic uint64_t dropped;	       /* of those, not answered */
	_Atomic uint64_t listed, truncated, bytes_in, bytes_out, send_errors;
	_Atomic uint64_t limited, over_quota; /* limit.h */
	_Atomic uint64_t rcode[STATS_RCODES];
};

/* Of one zone; all threads count here, so only where rbldnsd's statistics file asks for it. */
struct zone_stats {
	_Atomic uint64_t ok, nxdomain, errors, in, out;
};

/* Only the owner writes, so no locked instruction is needed. */
static inline void stats_bump(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
		memory_order_relaxed);
}

void zone_stats_count(struct zone_stats *z, size_t in, size_t out, unsigned rcode);

static inline void stats_count(
	struct stats *s, size_t in, size_t out, const struct answer_note *note)
{
	stats_bump(&s->queries, 1);
	stats_bump(&s->bytes_in, in);
	if (note->limited)
		stats_bump(&s->limited, 1);
	if (note->over_quota)
		stats_bump(&s->over_quota, 1);
	if (out == 0) {
		stats_bump(&s->dropped, 1);
		return;
	}
	stats_bump(&s->bytes_out, out);
	stats_bump(&s->rcode[note->rcode], 1);
	if (note->listed)
		stats_bump(&s->listed, 1);
	if (note->truncated)
		stats_bump(&s->truncated, 1);
	if (note->zone)
		zone_stats_count(note->zone, in, out, note->rcode);
}

void stats_add(struct stats *sum, const struct stats *s);
void stats_subtract(struct stats *from, const struct stats *s);
void stats_log(const char *transport, const struct stats *s);
