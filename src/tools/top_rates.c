/* top_rates.c - the difference of two replies. */
#include "tools/top_private.h"

#include "base/attr.h"
#include "tools/dns_private.h"

#include <stdlib.h>

const double top_quantiles[TOP_QUANTILES] = {0.5, 0.9, 0.99, 0.999};

/* ---- counters ---- */

/* Not whole numbers, which a reply could make overflow. */
struct sums {
	double queries, listed, nxdomain, refused, errors, dropped, limited, received, sent;
};

static double number(const json_t *o, const char *name)
{
	return (double)reply_number(o, name);
}

static void add(struct sums *s, const json_t *transport)
{
	const json_t *responses = json_object_get(transport, "responses");

	s->queries += number(transport, "queries");
	s->listed += number(transport, "listed");
	s->dropped += number(transport, "dropped");
	s->limited += number(transport, "limited") + number(transport, "over_quota");
	s->received += number(transport, "received_bytes");
	s->sent += number(transport, "sent_bytes");
	s->nxdomain += number(responses, "nxdomain");
	s->refused += number(responses, "refused");
	s->errors += number(responses, "servfail") + number(responses, "formerr")
		     + number(responses, "notimp");
}

static struct sums sums_of(const json_t *reply, const char *transport)
{
	struct sums s = {0};
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(reply, "transports"), i, o)
	{
		if (!transport || slice_eq(reply_text(o, "transport"), slice_str(transport)))
			add(&s, o);
	}
	return s;
}

static double rate(double before, double now, double seconds)
{
	return now > before ? (now - before) / seconds : 0;
}

static void set_transports(const json_t *before, const json_t *now, struct top_rates *r)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(now, "transports"), i, o)
	{
		const char *name = reply_text(o, "transport").ptr;
		size_t k = 0;
		while (k < r->transport_count && strcmp(r->transports[k].name, name) != 0)
			k++;
		if (k < r->transport_count || k == TOP_TRANSPORTS_MAX)
			continue;
		r->transports[r->transport_count++] = (struct top_transport){
			name, rate(sums_of(before, name).queries, sums_of(now, name).queries,
				      r->seconds)};
	}
}

/* ---- latency ---- */

static double end_of(const json_t *bucket)
{
	return (double)json_integer_value(json_array_get(bucket, 0));
}

static double weight_of(const json_t *bucket)
{
	return (double)json_integer_value(json_array_get(bucket, 1));
}

/* What came into the bucket since then. */
static double weight_since(const json_t *before, const json_t *bucket)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(before, "latency_ns"), i, o)
	{
		if (end_of(o) == end_of(bucket))
			return MAX(weight_of(bucket) - weight_of(o), 0);
	}
	return weight_of(bucket);
}

/* Buckets come in order; of a quantile the end of its bucket is told. */
static void set_latency(const json_t *before, const json_t *now, struct top_rates *r)
{
	json_t *buckets = json_object_get(now, "latency_ns"), *o;
	double all = 0, so_far = 0;
	size_t i, q = 0;

	json_array_foreach(buckets, i, o)
	{
		all += weight_since(before, o);
	}
	r->has_latency = all > 0;
	json_array_foreach(buckets, i, o)
	{
		so_far += weight_since(before, o);
		while (all > 0 && q < TOP_QUANTILES && so_far >= top_quantiles[q] * all)
			r->latency_us[q++] = end_of(o) / 1000;
	}
}

void top_rates_of(const json_t *before, const json_t *now, struct top_rates *ret)
{
	struct sums a = sums_of(before, NULL), b = sums_of(now, NULL);
	double ms = number(now, "now") - number(before, "now");

	*ret = (struct top_rates){.now = now};
	if (!before || ms <= 0 || reply_number(before, "started") != reply_number(now, "started"))
		return;
	ret->seconds = ms / 1000;
	set_transports(before, now, ret);
	ret->queries = rate(a.queries, b.queries, ret->seconds);
	ret->listed = rate(a.listed, b.listed, ret->seconds);
	ret->nxdomain = rate(a.nxdomain, b.nxdomain, ret->seconds);
	ret->refused = rate(a.refused, b.refused, ret->seconds);
	ret->errors = rate(a.errors, b.errors, ret->seconds);
	ret->dropped = rate(a.dropped, b.dropped, ret->seconds);
	ret->limited = rate(a.limited, b.limited, ret->seconds);
	ret->received_bytes = rate(a.received, b.received, ret->seconds);
	ret->sent_bytes = rate(a.sent, b.sent, ret->seconds);
	set_latency(before, now, ret);
}

/* ---- for programs ---- */

json_t *top_json(const struct top_rates *r)
{
	static const char *const copied[] = {"version", "now", "started", "tcp_sessions", "every",
		"samples", "samples_lost", "lists", "zones", "clients", "names"};
	static const char *const quantiles[TOP_QUANTILES] = {"p50", "p90", "p99", "p999"};
	json_t *o = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "seconds",
		r->seconds, "queries", r->queries, "listed", r->listed, "nxdomain", r->nxdomain,
		"refused", r->refused, "errors", r->errors, "dropped", r->dropped, "limited",
		r->limited, "received_bytes", r->received_bytes, "sent_bytes", r->sent_bytes);
	json_t *transports = json_object(), *latency = json_object();

	for (size_t i = 0; i < r->transport_count; i++)
		json_object_set_new(
			transports, r->transports[i].name, json_real(r->transports[i].queries));
	for (size_t i = 0; i < TOP_QUANTILES && r->has_latency; i++)
		json_object_set_new(latency, quantiles[i], json_real(r->latency_us[i]));
	json_object_set_new(o, "transports", transports);
	json_object_set_new(o, "latency_us", latency);
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		json_object_set(o, copied[i], json_object_get(r->now, copied[i]));
	return o;
}
