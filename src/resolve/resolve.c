/* resolve.c - who asked what, who waits for it, what is known already, and which upstream is down. */
#include "resolve/resolve.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/random.h"
#include "resolve/question.h"
#include "resolve/servers.h"

#include <stdlib.h>

#define FAILURE_TTL_S 5 /* a failure is not asked again for so long (RFC 9520 wants 1 s to 5 min) */
#define NEGATIVE_DEFAULT_TTL_S 60 /* "no" without a SOA */
#define LINE_MAX_COUNT 1000	  /* questions that wait for their turn; more fail at once */
#define LATE_MS 1000		  /* an answer that comes so late still goes into the cache */
#define RETRY_MIN_MS 100
#define SILENT_MAX 5	     /* unanswered questions in a row that suspend an upstream */
#define PROBE_EVERY_MS 10000 /* one question goes out to see whether it is back */
#define OPEN_BUCKETS 1024

struct lookup {
	struct question *question; /* NULL: the answer is known and waits to be told */
	TAILQ_ENTRY(lookup) waiting;
	LIST_ENTRY(lookup) told;
	struct resolver *resolver;
	struct loop_timer *timer;
	lookup_fn *fn;
	void *ctx;
	struct resolve_answer answer;
	struct slice *records;
};

struct resolver {
	struct loop *loop;
	struct cache *cache;
	struct resolver_limits limits;
	struct upstream *upstreams;
	uint32_t upstream_count;
	LIST_HEAD(, lookup) told;
	uint8_t secret[16];
	struct question *open[OPEN_BUCKETS];
	struct resolver_stats stats;
};

const char *resolve_status_text(enum resolve_status s)
{
	switch (s) {
	case RESOLVE_ANSWER:
		return "answered";
	case RESOLVE_NODATA:
		return "no such record";
	case RESOLVE_NXDOMAIN:
		return "no such name";
	case RESOLVE_REFUSED:
		return "refused";
	case RESOLVE_FAILED:
		return "failed";
	case RESOLVE_TIMEOUT:
		return "timed out";
	case RESOLVE_SUSPENDED:
		return "not asked, as the server has been silent lately";
	}
	return "";
}

struct resolver *resolver_new(struct loop *l, const struct resolver_limits *limits)
{
	struct resolver *r = mem_new(1, sizeof *r);

	r->loop = l;
	if (limits)
		r->limits = *limits;
	if (r->limits.cache_entries == 0)
		r->limits.cache_entries = 10000;
	if (r->limits.max_ttl_s == 0)
		r->limits.max_ttl_s = 3600;
	if (r->limits.max_in_flight == 0)
		r->limits.max_in_flight = 100;
	random_bytes(r->secret, sizeof r->secret);
	r->cache = cache_new(r->limits.cache_entries, r->secret);
	LIST_INIT(&r->told);
	return r;
}

static void lookup_free(struct lookup *k)
{
	loop_timer_free(k->timer);
	free(k->records);
	free(k);
}

/* Takes q out of every table and frees it; its waiters must be gone. */
static void question_end(struct question *q)
{
	struct upstream *u = q->upstream;
	struct question **at = &u->resolver->open[q->bucket];

	question_forget(q);
	while (*at != q)
		at = &(*at)->next_open;
	*at = q->next_open;
	if (q->sent) {
		LIST_REMOVE(q, in_flight);
		u->flying_count--;
	} else {
		TAILQ_REMOVE(&u->line, q, in_line);
		u->line_count--;
	}
	loop_timer_free(q->timer);
	free(q);
}

static void question_drop(struct question *q)
{
	struct lookup *k;

	while ((k = TAILQ_FIRST(&q->waiters))) {
		TAILQ_REMOVE(&q->waiters, k, waiting);
		lookup_free(k);
	}
	question_end(q);
}

struct resolver *resolver_free(struct resolver *r)
{
	struct upstream *u;
	struct lookup *k;

	if (!r)
		return NULL;
	for (size_t i = 0; i < OPEN_BUCKETS; i++)
		while (r->open[i])
			question_drop(r->open[i]);
	while ((k = LIST_FIRST(&r->told))) {
		LIST_REMOVE(k, told);
		lookup_free(k);
	}
	while ((u = r->upstreams)) {
		r->upstreams = u->next;
		upstream_close(u);
		free(u);
	}
	cache_free(r->cache);
	free(r);
	return NULL;
}

static bool upstream_servers(
	struct upstream *u, const char *const *servers, size_t count, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT((size_t)64 * 1024);

	if (count > SERVERS_MAX)
		return err_set(err, ERR_LIMIT, "%zu DNS servers: at most %d", count, SERVERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (!server_parse(slice_str(servers[i]), &u->servers[i], err))
			return false;
	u->server_count = count;
	if (count > 0)
		return true;
	if (file_read("/etc/resolv.conf", text.limit, &text, NULL))
		u->server_count = servers_of_resolv_conf(buf_slice(&text), u->servers, SERVERS_MAX);
	if (u->server_count == 0)
		u->server_count = server_parse(SLICE("127.0.0.1"), &u->servers[0], err);
	return u->server_count > 0;
}

struct upstream *upstream_new(
	struct resolver *r, const char *const *servers, size_t count, struct err *err)
{
	struct upstream *u = mem_new(1, sizeof *u);

	if (!upstream_servers(u, servers, count, err)) {
		free(u);
		return NULL;
	}
	u->resolver = r;
	u->number = r->upstream_count++;
	u->next = r->upstreams;
	LIST_INIT(&u->flying);
	TAILQ_INIT(&u->line);
	r->upstreams = u;
	return u;
}

const struct resolver_stats *resolver_stats(const struct resolver *r)
{
	return &r->stats;
}

void resolver_count_mismatch(struct upstream *u)
{
	u->resolver->stats.mismatched++;
}

/* ---- breaker ---- */

static bool upstream_is_suspended(struct upstream *u, int64_t now_ms)
{
	if (u->silent < SILENT_MAX)
		return false;
	if (now_ms < u->probe_at_ms)
		return true;
	u->probe_at_ms = now_ms + PROBE_EVERY_MS;
	return false;
}

static void upstream_was_silent(struct upstream *u, int64_t now_ms)
{
	if (u->silent < SILENT_MAX)
		u->silent++;
	if (u->silent == SILENT_MAX && u->probe_at_ms < now_ms)
		u->probe_at_ms = now_ms + PROBE_EVERY_MS;
}

/* ---- the end of a lookup ---- */

/* The answer was told to k, or its time is over. */
static void lookup_due(void *ctx)
{
	struct lookup *k = ctx;

	if (k->question) {
		TAILQ_REMOVE(&k->question->waiters, k, waiting);
		k->answer = (struct resolve_answer){.status = RESOLVE_TIMEOUT};
		k->resolver->stats.timeouts++;
	} else {
		LIST_REMOVE(k, told);
	}
	k->fn(k->ctx, &k->answer);
	lookup_free(k);
}

/* Copies the answer and has it told from the loop, so that no callback runs inside another's call. */
static void lookup_tell(struct lookup *k, const struct resolve_answer *answer)
{
	size_t bytes = 0;
	char *at;

	for (size_t i = 0; i < answer->count; i++)
		bytes += answer->records[i].len;
	k->question = NULL;
	k->answer = *answer;
	k->records = mem_new(1, answer->count * sizeof k->records[0] + bytes + 1);
	k->answer.records = k->records;
	at = (char *)&k->records[answer->count];
	for (size_t i = 0; i < answer->count; i++) {
		if (answer->records[i].len)
			memcpy(at, answer->records[i].ptr, answer->records[i].len);
		k->records[i] = slice_of(at, answer->records[i].len);
		at += answer->records[i].len;
	}
	LIST_INSERT_HEAD(&k->resolver->told, k, told);
	loop_timer_set(k->timer, 0);
}

struct lookup *lookup_cancel(struct lookup *k)
{
	if (!k)
		return NULL;
	if (k->question)
		TAILQ_REMOVE(&k->question->waiters, k, waiting);
	else
		LIST_REMOVE(k, told);
	lookup_free(k);
	return NULL;
}

/* ---- a question ---- */

static void upstream_send_next(struct upstream *u);

static void question_finish(struct question *q, const struct resolve_answer *answer)
{
	struct upstream *u = q->upstream;
	const struct cache_key key = {u->number, q->type, &q->name};
	struct lookup *k;

	cache_put(u->resolver->cache, &key, answer, clock_mono_ms());
	while ((k = TAILQ_FIRST(&q->waiters))) {
		TAILQ_REMOVE(&q->waiters, k, waiting);
		lookup_tell(k, answer);
	}
	question_end(q);
	upstream_send_next(u);
}

static void question_fail(struct question *q, enum resolve_status status)
{
	/* Not asked is no answer: the next one may be. */
	uint32_t ttl = status == RESOLVE_SUSPENDED ? 0 : FAILURE_TTL_S;

	question_finish(q, &(struct resolve_answer){.status = status, .ttl_s = ttl});
}

static void question_due(void *ctx)
{
	struct question *q = ctx;
	struct upstream *u = q->upstream;
	int64_t now = clock_mono_ms();

	if (now >= q->give_up_ms) {
		if (!q->sent) {
			question_fail(q, RESOLVE_SUSPENDED);
			return;
		}
		upstream_was_silent(u, now);
		question_fail(q, q->failure);
		return;
	}
	if (q->sent && !q->tcp && question_send(u->resolver->loop, q))
		u->resolver->stats.sent++;
	loop_timer_set(q->timer, q->sent && q->attempt_count < ATTEMPTS_MAX
					 ? MIN(q->retry_every_ms, q->give_up_ms - now)
					 : q->give_up_ms - now);
}

/* A question that waited in line, or a new one, goes out. */
static void question_launch(struct question *q)
{
	struct upstream *u = q->upstream;

	TAILQ_REMOVE(&u->line, q, in_line);
	u->line_count--;
	q->sent = true;
	LIST_INSERT_HEAD(&u->flying, q, in_flight);
	u->flying_count++;
	question_due(q);
}

static void upstream_send_next(struct upstream *u)
{
	struct question *q;
	int64_t now = clock_mono_ms();

	if (u->sending)
		return; /* we are inside the loop below: it goes on */
	u->sending = true;
	while (u->flying_count < u->resolver->limits.max_in_flight && (q = TAILQ_FIRST(&u->line))) {
		if (TAILQ_EMPTY(&q->waiters)) {
			question_end(q);
		} else if (upstream_is_suspended(u, now)) {
			question_fail(q, RESOLVE_SUSPENDED);
		} else {
			question_launch(q);
		}
	}
	u->sending = false;
}

void question_attempt_failed(
	struct question *q, struct attempt *a, enum resolve_status why, bool heard)
{
	struct upstream *u = q->upstream;

	if (heard)
		u->silent = 0;
	q->failure = why;
	attempt_forget(a);
	/* Each server is asked once; then what the last one said stands. */
	if (q->attempt_count < u->server_count && question_send(u->resolver->loop, q)) {
		u->resolver->stats.sent++;
		return;
	}
	if (question_is_open(q))
		return;
	if (!heard)
		upstream_was_silent(u, clock_mono_ms());
	question_fail(q, why);
}

/* Copies the records that callers understand. */
static void answer_collect(const struct dns_reply *reply, uint16_t type, struct buf *bytes,
	struct slice records[RESOLVE_RECORDS_MAX], struct resolve_answer *answer)
{
	size_t ends[RESOLVE_RECORDS_MAX];
	struct domain name;
	struct ip ip;

	for (unsigned i = 0; i < dns_reply_kept(reply) && answer->count < RESOLVE_RECORDS_MAX;
		i++) {
		bool good;

		if (type == DNS_A || type == DNS_AAAA) {
			good = dns_reply_ip(reply, i, &ip);
			if (good)
				buf_add(bytes, ip.bytes, type == DNS_A ? 4 : 16);
		} else if (type == DNS_TXT) {
			good = dns_reply_text(reply, i, bytes);
		} else {
			good = dns_reply_name(reply, i, &name);
			if (good)
				buf_add(bytes, name.wire, name.len);
		}
		if (good && !bytes->failed)
			ends[answer->count++] = bytes->len;
	}
	for (size_t i = 0, start = 0; i < answer->count; start = ends[i], i++)
		records[i] = slice_of(buf_str(bytes) + start, ends[i] - start);
	answer->records = records;
}

static void question_conclude(struct question *q, const struct dns_reply *reply)
{
	const struct resolver_limits *limits = &q->upstream->resolver->limits;
	_cleanup_buf_ struct buf bytes = BUF_INIT(DNS_MESSAGE_MAX);
	struct slice records[RESOLVE_RECORDS_MAX];
	struct resolve_answer answer = {.status = RESOLVE_ANSWER, .ttl_s = reply->ttl};

	if (reply->rcode == DNS_NOERROR && reply->count > 0) {
		answer_collect(reply, q->type, &bytes, records, &answer);
		if (answer.count == 0) {
			question_fail(q, RESOLVE_FAILED);
			return;
		}
	} else {
		answer.status = reply->rcode == DNS_NXDOMAIN ? RESOLVE_NXDOMAIN : RESOLVE_NODATA;
		answer.ttl_s = reply->has_soa ? reply->negative_ttl : NEGATIVE_DEFAULT_TTL_S;
	}
	answer.ttl_s = MIN(answer.ttl_s, limits->max_ttl_s);
	question_finish(q, &answer);
}

void question_answered(struct question *q, struct attempt *a, const struct dns_reply *reply)
{
	struct upstream *u = q->upstream;

	u->silent = 0;
	u->resolver->stats.answered++;
	if (reply->truncated) {
		if (q->tcp || question_send_tcp(u->resolver->loop, q, a))
			return;
		question_attempt_failed(q, a, RESOLVE_FAILED, true);
		return;
	}
	switch (reply->rcode) {
	case DNS_NOERROR:
	case DNS_NXDOMAIN:
		question_conclude(q, reply);
		return;
	case DNS_FORMERR:
	case DNS_NOTIMP:
		/* an old server: once more without EDNS */
		if (!q->no_edns && q->attempt_count < ATTEMPTS_MAX) {
			q->no_edns = true;
			q->next_server = a->server;
			attempt_forget(a);
			if (question_send(u->resolver->loop, q)) {
				u->resolver->stats.sent++;
				return;
			}
		}
		break;
	case DNS_REFUSED:
		question_attempt_failed(q, a, RESOLVE_REFUSED, true);
		return;
	default:
		break;
	}
	question_attempt_failed(q, a, RESOLVE_FAILED, true);
}

/* ---- the beginning ---- */

static size_t question_bucket(const struct upstream *u, const struct domain *name, uint16_t type)
{
	uint64_t hash = siphash(u->resolver->secret, slice_of(name->wire, name->len));

	return (hash ^ type ^ u->number * UINT64_C(0x9e3779b97f4a7c15)) % OPEN_BUCKETS;
}

static struct question *question_new(
	struct upstream *u, const struct domain *name, uint16_t type, size_t bucket)
{
	struct question *q = mem_new(1, sizeof *q);

	q->upstream = u;
	q->bucket = bucket;
	q->name = *name;
	q->type = type;
	q->failure = RESOLVE_TIMEOUT;
	q->next_server = u->server_count > 1 ? random_below((uint32_t)u->server_count) : 0;
	TAILQ_INIT(&q->waiters);
	q->next_open = u->resolver->open[bucket];
	u->resolver->open[bucket] = q;
	q->timer = loop_timer_new(u->resolver->loop, question_due, q);
	TAILQ_INSERT_TAIL(&u->line, q, in_line);
	u->line_count++;
	return q;
}

/* The open question for it, or a new one; NULL when it is not to be asked now. */
static struct question *question_for(struct upstream *u, const struct domain *name, uint16_t type,
	int64_t timeout_ms, int64_t now)
{
	size_t bucket = question_bucket(u, name, type);
	struct question *q = u->resolver->open[bucket];
	int64_t give_up = now + timeout_ms + LATE_MS;

	while (q && (q->upstream != u || q->type != type || !domain_eq(&q->name, name)))
		q = q->next_open;
	if (q) {
		u->resolver->stats.joined++;
		q->give_up_ms = MAX(q->give_up_ms, give_up);
		return q;
	}
	if (u->line_count >= LINE_MAX_COUNT || upstream_is_suspended(u, now)) {
		u->resolver->stats.suspended++;
		return NULL;
	}
	q = question_new(u, name, type, bucket);
	q->give_up_ms = give_up;
	q->retry_every_ms = MAX(timeout_ms / ATTEMPTS_MAX, RETRY_MIN_MS);
	loop_timer_set(q->timer, timeout_ms + LATE_MS);
	return q;
}

struct lookup *lookup_start(struct upstream *u, const struct domain *name, uint16_t type,
	int64_t timeout_ms, lookup_fn *fn, void *ctx)
{
	struct resolver *r = u->resolver;
	const struct cache_key key = {u->number, type, name};
	struct lookup *k = mem_new(1, sizeof *k);
	int64_t now = clock_mono_ms();
	struct resolve_answer answer;
	struct question *q;

	k->resolver = r;
	k->fn = fn;
	k->ctx = ctx;
	k->timer = loop_timer_new(r->loop, lookup_due, k);
	r->stats.asked++;
	if (cache_find(r->cache, &key, now, &answer)) {
		r->stats.cached++;
		lookup_tell(k, &answer);
		return k;
	}
	q = question_for(u, name, type, timeout_ms, now);
	if (!q) {
		lookup_tell(k, &(struct resolve_answer){.status = RESOLVE_SUSPENDED});
		return k;
	}
	k->question = q;
	TAILQ_INSERT_TAIL(&q->waiters, k, waiting);
	loop_timer_set(k->timer, timeout_ms);
	if (!q->sent && u->flying_count < r->limits.max_in_flight)
		question_launch(q);
	return k;
}
