/* stats.c - counters added up and told. */
#include "dnsd/see/stats.h"

#include "base/attr.h"
#include "base/log.h"

#include <inttypes.h>

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void stats_add(struct stats *sum, const struct stats *s)
{
	stats_bump(&sum->queries, get(&s->queries));
	stats_bump(&sum->dropped, get(&s->dropped));
	stats_bump(&sum->listed, get(&s->listed));
	stats_bump(&sum->truncated, get(&s->truncated));
	stats_bump(&sum->bytes_in, get(&s->bytes_in));
	stats_bump(&sum->bytes_out, get(&s->bytes_out));
	stats_bump(&sum->send_errors, get(&s->send_errors));
	stats_bump(&sum->limited, get(&s->limited));
	stats_bump(&sum->over_quota, get(&s->over_quota));
	for (size_t i = 0; i < STATS_RCODES; i++)
		stats_bump(&sum->rcode[i], get(&s->rcode[i]));
}

void zone_stats_count(struct zone_stats *z, size_t in, size_t out, unsigned rcode)
{
	_Atomic uint64_t *counter = rcode == DNS_NOERROR    ? &z->ok
				    : rcode == DNS_NXDOMAIN ? &z->nxdomain
							    : &z->errors;

	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&z->in, in, memory_order_relaxed);
	atomic_fetch_add_explicit(&z->out, out, memory_order_relaxed);
}

void stats_subtract(struct stats *from, const struct stats *s)
{
	stats_bump(&from->queries, -get(&s->queries));
	stats_bump(&from->dropped, -get(&s->dropped));
	stats_bump(&from->listed, -get(&s->listed));
	stats_bump(&from->truncated, -get(&s->truncated));
	stats_bump(&from->bytes_in, -get(&s->bytes_in));
	stats_bump(&from->bytes_out, -get(&s->bytes_out));
	stats_bump(&from->send_errors, -get(&s->send_errors));
	for (size_t i = 0; i < STATS_RCODES; i++)
		stats_bump(&from->rcode[i], -get(&s->rcode[i]));
}

void stats_log(const char *transport, const struct stats *s)
{
	log_event(LOG_INFO, "dnsd.stats",
		"transport=%s queries=%" PRIu64 " listed=%" PRIu64 " noerror=%" PRIu64
		" nxdomain=%" PRIu64 " refused=%" PRIu64 " formerr=%" PRIu64 " servfail=%" PRIu64
		" notimp=%" PRIu64 " badvers=%" PRIu64 " badcookie=%" PRIu64 " dropped=%" PRIu64
		" limited=%" PRIu64 " over_quota=%" PRIu64 " truncated=%" PRIu64
		" send_errors=%" PRIu64 " bytes_in=%" PRIu64 " bytes_out=%" PRIu64,
		transport, get(&s->queries), get(&s->listed), get(&s->rcode[DNS_NOERROR]),
		get(&s->rcode[DNS_NXDOMAIN]), get(&s->rcode[DNS_REFUSED]),
		get(&s->rcode[DNS_FORMERR]), get(&s->rcode[DNS_SERVFAIL]),
		get(&s->rcode[DNS_NOTIMP]), get(&s->rcode[DNS_BADVERS]),
		get(&s->rcode[DNS_BADCOOKIE]), get(&s->dropped), get(&s->limited),
		get(&s->over_quota), get(&s->truncated), get(&s->send_errors), get(&s->bytes_in),
		get(&s->bytes_out));
}
