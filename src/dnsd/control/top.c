/* top.c - samples of questions become rates. A rate is a mean over about the last ten seconds that fades: what
 * was seen s seconds ago counts exp(-s / 10). */
#include "dnsd/control/top.h"

#include "base/mem.h"
#include "dnsd/see/rank.h"
#include "dnsd/answer/zone.h"
#include "io/clock.h"
#include "io/ipc.h"
#include "io/random.h"

#include <stdlib.h>

#define PLACES 1024
#define SHOWN_MAX 100
#define RANKING_BYTES ((size_t)20 * 1024) /* all fit one record */
#define FIRST_TICK_MS 50 /* questions are counted, so that sampling begins at the right rate */
#define TICK_MS 100
#define ADAPT_MS 500
#define FADE_S 10.0
#define RATE_MIN 0.005 /* in a second: what is below has faded away */
/* Of latency: four to each power of two, up to 2^32 ns. */
#define BUCKETS 128

enum ranking { RANK_CLIENTS, RANK_NAMES, RANK_LISTS, RANK_ZONES, RANKINGS };
static const char *const ranking_names[RANKINGS] = {"clients", "names", "lists", "zones"};

struct top {
	const struct report *report;
	struct watches *watches;
	struct loop_timer *timer;
	unsigned watchers;
	bool sampling;
	int64_t ticked_ms, adapted_ms; /* monotonic */
	double seconds;		       /* of watching, faded like the weights */
	struct rank *ranks[RANKINGS];
	uint64_t latency[BUCKETS]; /* weights */
	uint64_t samples;
};

/* ---- what a sample says ---- */

static void add_client(struct top *t, const struct watch_sample *s)
{
	uint8_t key[1 + sizeof s->peer.bytes];

	key[0] = s->peer.family;
	memcpy(key + 1, s->peer.bytes, sizeof s->peer.bytes);
	rank_add(t->ranks[RANK_CLIENTS], slice_of(key, sizeof key), s->weight);
}

/* The list or the files that a source is of; of a transferred zone there is only one. */
static struct slice source_name(
	const struct top *t, const struct served_place *p, const struct served_source *source)
{
	const char *name;

	if (source->list)
		return source->list->name;
	name = files_name_of(t->report->files, p->index);
	return name ? slice_str(name) : SLICE("transferred");
}

/* Asked once more, now. */
static void add_hits(
	struct top *t, const struct served_place *p, const struct asked *asked, uint32_t weight)
{
	int64_t now_s = clock_unix_ms() / 1000;
	struct hit hits[SNAPSHOT_HITS_MAX];
	char subject[INDEX_SUBJECT_MAX];
	size_t n = p->index ? index_find(p->index, asked, now_s, hits) : 0;
	struct slice last = SLICE_EMPTY;
	bool named = false;

	for (size_t h = 0; h < n; h++)
		for (size_t i = 0; i < p->source_count; i++) {
			const struct served_source *source = &p->sources[i];
			struct slice name;
			if (!source->published || source->set != hits[h].set
				|| source->meta->kind == SET_RECORDS)
				continue;
			name = source_name(t, p, source);
			if (!named) {
				size_t len = index_subject(source->meta, asked, &hits[h], subject);
				rank_add(t->ranks[RANK_NAMES], slice_of(subject, len), weight);
			}
			if (!slice_eq(name, last)) /* several values of one list are one hit */
				rank_add(t->ranks[RANK_LISTS], name, weight);
			named = true;
			last = name;
		}
}

/* Which lists it was that answered. */
static void add_lists(
	struct top *t, const struct served_zone *z, const struct dns_question *q, uint32_t weight)
{
	uint8_t name[DOMAIN_WIRE_MAX];

	for (size_t i = 0; i < z->group_count; i++) {
		unsigned labels;
		const struct served_place *p = zone_place(
			&z->groups[i], q, (unsigned)q->name.labels - z->name.labels, &labels);
		struct asked asked;
		if (!p)
			continue;
		memcpy(name, q->name.wire, q->label_at[labels]);
		name[q->label_at[labels]] = 0;
		asked = asked_of(name, q->label_at[labels] + 1u, labels);
		asked.is_ip6 = asked.is_ip6 && !(asked.is_mapped && p->reads_ip4);
		add_hits(t, p, &asked, weight);
	}
}

static unsigned bucket_of(uint32_t ns)
{
	unsigned power = ns < 4 ? 2 : 31 - (unsigned)__builtin_clz(ns);

	return ns < 4 ? 0 : 4 * (power - 2) + ((ns >> (power - 2)) & 3);
}

/* The first that is above the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
	return (uint64_t)(5 + bucket % 4) << (bucket / 4);
}

static void add_sample(void *ctx, const struct watch_sample *s)
{
	struct top *t = ctx;
	const struct served_zone *z;
	struct dns_question q;

	t->samples++;
	add_client(t, s);
	if (s->latency_ns)
		t->latency[bucket_of(s->latency_ns)] += s->weight;
	if (dns_question_parse(slice_of(s->query, s->len), &q) != DNS_QUESTION_OK || !q.end)
		return;
	z = served_find(atomic_load(t->report->served), &q);
	if (!z)
		return;
	rank_add(t->ranks[RANK_ZONES], slice_of(z->name.wire, z->name.len), s->weight);
	if (s->listed)
		add_lists(t, z, &q, s->weight);
}

/* ---- time ---- */

static void tick(struct top *t)
{
	int64_t now_ms = clock_mono_ms(), elapsed_ms = now_ms - t->ticked_ms;
	double elapsed_s = (double)elapsed_ms / 1000, factor = 1 - MIN(elapsed_s / FADE_S, 1.0);

	if (t->sampling) {
		for (int i = 0; i < RANKINGS; i++)
			rank_fade(t->ranks[i], factor);
		t->seconds = t->seconds * factor + elapsed_s;
	}
	watches_drain(t->watches, add_sample, t);
	if (!t->sampling || now_ms - t->adapted_ms >= ADAPT_MS) {
		watches_adapt(t->watches, now_ms - t->adapted_ms);
		t->adapted_ms = now_ms;
		t->sampling = true;
	}
	t->ticked_ms = now_ms;
}

static void on_tick(void *ctx)
{
	struct top *t = ctx;

	tick(t);
	loop_timer_set(t->timer, TICK_MS);
}

static void stamp_all(const struct top *t, bool on)
{
	const struct report *r = t->report;

	for (size_t i = 0; i < r->config->dnsd.listen.count * r->workers_each; i++)
		worker_stamp(r->workers[i], on);
}

void top_begin(struct top *t)
{
	if (t->watchers++)
		return;
	for (int i = 0; i < RANKINGS; i++)
		rank_clear(t->ranks[i]);
	memset(t->latency, 0, sizeof t->latency);
	t->samples = 0;
	t->seconds = 0;
	t->sampling = false;
	t->ticked_ms = t->adapted_ms = clock_mono_ms();
	stamp_all(t, true);
	watches_start(t->watches);
	loop_timer_set(t->timer, FIRST_TICK_MS);
}

static void drop_sample(void *ctx, const struct watch_sample *s)
{
	(void)ctx;
	(void)s;
}

void top_end(struct top *t)
{
	if (--t->watchers)
		return;
	loop_timer_stop(t->timer);
	watches_stop(t->watches);
	stamp_all(t, false);
	watches_drain(t->watches, drop_sample, NULL);
}

/* ---- told ---- */

static json_t *key_text(enum ranking ranking, const struct rank_entry *e)
{
	struct ip ip = {.family = 0};
	struct domain d;

	if (ranking == RANK_CLIENTS) {
		ip.family = (uint8_t)e->key[0];
		memcpy(ip.bytes, e->key + 1, sizeof ip.bytes);
		return json_string(ip_text(&ip).s);
	}
	if (ranking == RANK_ZONES && domain_from_wire((const uint8_t *)e->key, e->len, &d))
		return json_string(domain_text(&d).s);
	return ipc_text(slice_of(e->key, e->len));
}

static json_t *ranking(const struct top *t, enum ranking which)
{
	struct rank_entry *entries = mem_new(SHOWN_MAX, sizeof *entries);
	size_t n = rank_top(t->ranks[which], entries, SHOWN_MAX);
	double seconds = t->seconds > 0 ? t->seconds : 1;
	json_t *all = json_array();
	size_t bytes = 0;

	for (size_t i = 0; i < n && bytes < RANKING_BYTES; i++) {
		double least = (entries[i].weight - entries[i].error) / seconds;
		json_t *o;
		if (least < RATE_MIN)
			break;
		o = json_pack("{s:o, s:f, s:f}", "name", key_text(which, &entries[i]), "least",
			least, "most", entries[i].weight / seconds);
		bytes += json_dumpb(o, NULL, 0, JSON_COMPACT);
		json_array_append_new(all, o);
	}
	free(entries);
	return all;
}

static json_t *latency(const struct top *t)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < BUCKETS; i++)
		if (t->latency[i])
			json_array_append_new(all, json_pack("[I, I]", (json_int_t)bucket_end(i),
							   (json_int_t)t->latency[i]));
	return all;
}

void top_report(struct top *t, json_t *reply)
{
	if (clock_mono_ms() > t->ticked_ms && t->sampling)
		tick(t);
	json_object_set_new(reply, "version", json_string(SEKISHO_VERSION));
	json_object_set_new(reply, "now", json_integer(clock_unix_ms()));
	json_object_set_new(reply, "started", json_integer(t->report->started_ms));
	json_object_set_new(
		reply, "tcp_sessions", json_integer((json_int_t)tcp_sessions(t->report->tcp)));
	json_object_set_new(reply, "transports", report_transports(t->report));
	json_object_set_new(reply, "sampling", json_boolean(t->sampling && t->seconds > 0));
	json_object_set_new(reply, "every", json_integer(watches_every(t->watches)));
	json_object_set_new(reply, "samples", json_integer((json_int_t)t->samples));
	json_object_set_new(
		reply, "samples_lost", json_integer((json_int_t)watches_lost(t->watches)));
	for (int i = 0; i < RANKINGS; i++)
		json_object_set_new(reply, ranking_names[i], ranking(t, (enum ranking)i));
	json_object_set_new(reply, "latency_ns", latency(t));
}

/* ---- start and end ---- */

struct top *top_new(struct loop *l, const struct report *r, struct watches *w)
{
	struct top *t = mem_new(1, sizeof *t);
	uint8_t seed[16];

	random_bytes(seed, sizeof seed);
	t->report = r;
	t->watches = w;
	t->timer = loop_timer_new(l, on_tick, t);
	for (int i = 0; i < RANKINGS; i++)
		t->ranks[i] = rank_new(PLACES, seed);
	return t;
}

struct top *top_free(struct top *t)
{
	if (!t)
		return NULL;
	loop_timer_free(t->timer);
	for (int i = 0; i < RANKINGS; i++)
		rank_free(t->ranks[i]);
	free(t);
	return NULL;
}
