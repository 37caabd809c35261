/* resolve.h - asking the DNS without waiting: one resolver a program, one upstream for each set of
 * servers that is watched as one (the site's resolver; the server of one list). Runs in the loop.
 *
 * A question goes out over UDP from a random port with a random id, again to the next server when no
 * answer comes, over TCP when the answer was cut. An answer counts only from the server asked, with
 * the id and the question asked. The same question asked twice at once goes out once. Answers are
 * kept: as long as their TTL says, "no" as long as the SOA says (RFC 2308), failures some seconds.
 * An upstream that answers nothing at all for a while is suspended: questions fail at once, and one
 * of them goes out now and then to see whether it is back. */
#pragma once

#include "base/domain.h"
#include "base/err.h"
#include "base/ip.h"
#include "io/loop.h"

struct resolver;
struct upstream;
struct lookup;

enum { RESOLVE_A = 1, RESOLVE_PTR = 12, RESOLVE_TXT = 16, RESOLVE_AAAA = 28 };

enum resolve_status {
	RESOLVE_ANSWER, /* at least one record of the type asked */
	RESOLVE_NODATA, /* the name is there, the type is not */
	RESOLVE_NXDOMAIN,
	RESOLVE_REFUSED, /* the server does not serve us */
	RESOLVE_FAILED,	 /* SERVFAIL, a broken answer, no way to reach the server */
	RESOLVE_TIMEOUT,
	RESOLVE_SUSPENDED, /* not asked: the upstream is down, or too many questions wait for it */
};

const char *resolve_status_text(enum resolve_status s); /* "timed out", for people */

#define RESOLVE_RECORDS_MAX 32 /* more in one answer are left out */

/* What came back: records of the type asked, at the end of the CNAME chain if there is one. A: 4 bytes,
 * AAAA: 16 bytes, PTR: an uncompressed name (domain_from_wire), TXT: its strings joined. */
struct resolve_answer {
	enum resolve_status status;
	uint32_t ttl_s; /* how long it may still be kept */
	size_t count;
	const struct slice *records;
};

/* Called from the loop, never from inside lookup_start(). The answer lives until this returns. */
typedef void lookup_fn(void *ctx, const struct resolve_answer *answer);

struct resolver_limits {
	size_t cache_entries;	/* 0: 10000 */
	uint32_t max_ttl_s;	/* 0: 3600; longer TTLs are cut */
	uint32_t max_in_flight; /* of one upstream, 0: 100; more wait in line */
};

struct resolver *resolver_new(struct loop *l, const struct resolver_limits *limits);
/* Its upstreams go with it. Open lookups are dropped without a call.
 * NULL is fine; returns NULL. */
struct resolver *resolver_free(struct resolver *r);

/* servers: "127.0.0.1:53", "[::1]:53" or without the port. None: those of /etc/resolv.conf, read
 * here, or 127.0.0.1:53. At most 8. Owned by the resolver. NULL with words in err. */
struct upstream *upstream_new(
	struct resolver *r, const char *const *servers, size_t count, struct err *err);

/* Asks; fn is called once, after timeout_ms at the latest, unless cancelled before. */
struct lookup *lookup_start(struct upstream *u, const struct domain *name, uint16_t type,
	int64_t timeout_ms, lookup_fn *fn, void *ctx);
/* fn will not be called; the answer may still come into the cache. NULL is fine; returns NULL. */
struct lookup *lookup_cancel(struct lookup *l);

/* For logs and tests. */
struct resolver_stats {
	uint64_t asked, cached, joined, sent, answered, timeouts, suspended, mismatched;
};
const struct resolver_stats *resolver_stats(const struct resolver *r);
