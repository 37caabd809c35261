/* judge.c - one judgement: a question to each list, a deadline, a verdict. */
#include "gated/judge.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"

#include <stdlib.h>

#define TELL_AGAIN_MS 60000 /* a list that changes its state to and fro is told of once a minute */

struct judge_list {
	struct dnsbl_list dnsbl;
	enum dnsbl_status state; /* the last told: CLEAR for all is well */
	int64_t told_ms;
};

struct judge {
	struct loop *loop;
	const struct config_gated *config;
	struct resolver *resolver;
	size_t count;
	struct verdict_list *lists; /* the enabled ones */
	struct judge_list *asking;
};

struct question {
	struct judgement *whole;
	size_t list;
	struct dnsbl *dnsbl;
	struct dnsbl_answer answer;
};

struct judgement {
	struct judge *judge;
	struct ip client;
	int64_t start_ms, end_ms;
	struct loop_timer *timer;
	bool stands, over;
	struct verdict verdict;
	judgement_fn *fn;
	void *ctx;
	struct verdict_answer *answers;
	struct question *questions;
};

/* ---- the judge ---- */

static bool list_open(struct judge *j, const struct config_gate_list *c, struct err *err)
{
	struct verdict_list *v = &j->lists[j->count];
	struct judge_list *a = &j->asking[j->count];
	const char *server[] = {c->server};
	const struct config_gated *g = j->config;

	v->config = c;
	if (!code_set_parse((const char *const *)c->codes.items, c->codes.count, &v->codes, err)
		|| !code_set_parse((const char *const *)c->error_codes.items, c->error_codes.count,
			&v->error_codes, err))
		return err_prefix(err, "gated: list \"%s\": ", c->zone);
	a->dnsbl.zone = c->zone_name;
	a->dnsbl.error_codes = &v->error_codes;
	/* An upstream of its own also where the resolver is the same: lists fail one by one. */
	a->dnsbl.upstream =
		c->server && c->server[0]
			? upstream_new(j->resolver, server, 1, err)
			: upstream_new(j->resolver, (const char *const *)g->resolver.items,
				g->resolver.count, err);
	if (!a->dnsbl.upstream)
		return err_prefix(err, "gated: list \"%s\": ", c->zone);
	j->count++;
	return true;
}

struct judge *judge_new(struct loop *l, const struct config_gated *config, struct err *err)
{
	struct resolver_limits limits = {
		.cache_entries = (size_t)config->cache_entries,
		.max_ttl_s = (uint32_t)config->max_ttl,
	};
	struct judge *j = mem_new(1, sizeof *j);

	j->loop = l;
	j->config = config;
	j->resolver = resolver_new(l, &limits);
	j->lists = mem_new(config->list_count + 1, sizeof *j->lists);
	j->asking = mem_new(config->list_count + 1, sizeof *j->asking);
	for (size_t i = 0; i < config->list_count; i++)
		if (config->lists[i].enabled && !list_open(j, &config->lists[i], err))
			return judge_free(j);
	return j;
}

struct judge *judge_free(struct judge *j)
{
	if (!j)
		return NULL;
	resolver_free(j->resolver);
	for (size_t i = 0; i < j->config->list_count; i++) {
		code_set_done(&j->lists[i].codes);
		code_set_done(&j->lists[i].error_codes);
	}
	free(j->lists);
	free(j->asking);
	free(j);
	return NULL;
}

bool judge_passes(const struct judge *j, const struct ip *client)
{
	const struct prefixes *own = &j->config->own_networks;

	if (client->family == 0)
		return true;
	for (size_t i = 0; i < own->count; i++)
		if (prefix_contains(&own->items[i], client))
			return true;
	return false;
}

/* An operator must learn that a list is of no use just now, and that it is back, but not at each
 * mail. */
static void list_tell(struct judge *j, size_t i, enum dnsbl_status status)
{
	struct judge_list *a = &j->asking[i];
	int64_t now = clock_mono_ms();
	const char *zone = j->lists[i].config->zone;

	if (status == DNSBL_LISTED)
		status = DNSBL_CLEAR;
	if (status == a->state || (a->told_ms && now - a->told_ms < TELL_AGAIN_MS))
		return;
	a->state = status;
	a->told_ms = now;
	if (status == DNSBL_CLEAR)
		log_event(LOG_NOTE, "gate.list", "zone=%s state=well", zone);
	else
		log_event(LOG_WARN, "gate.list", "zone=%s state=%s why=\"%s\"", zone,
			dnsbl_status_word(status), dnsbl_status_text(status));
}

/* ---- one judgement ---- */

static void judgement_close_questions(struct judgement *g)
{
	for (size_t i = 0; i < g->judge->count; i++)
		g->questions[i].dnsbl = dnsbl_cancel(g->questions[i].dnsbl);
}

static void judgement_decide(struct judgement *g)
{
	verdict_judge(g->judge->config, g->judge->lists, g->answers, g->judge->count, &g->client,
		&g->verdict);
	g->stands = true;
	g->end_ms = clock_mono_ms();
}

static void judgement_tell(struct judgement *g)
{
	judgement_fn *fn = g->fn;

	g->fn = NULL;
	if (fn)
		fn(g->ctx, &g->verdict);
}

/* The time is over, or the verdict stood already when somebody began to wait. */
static void judgement_due(void *ctx)
{
	struct judgement *g = ctx;

	if (!g->stands) {
		for (size_t i = 0; i < g->judge->count; i++) {
			struct question *q = &g->questions[i];

			if (!g->answers[i].asked || g->answers[i].done)
				continue;
			g->answers[i].answer = dnsbl_so_far(q->dnsbl);
			g->answers[i].done = true;
			if (!g->answers[i].answer)
				list_tell(g->judge, i, DNSBL_TIMEOUT);
		}
		judgement_decide(g);
	}
	judgement_tell(g);
}

static void question_answered(void *ctx, const struct dnsbl_answer *answer)
{
	struct question *q = ctx;
	struct judgement *g = q->whole;
	struct judge *j = g->judge;

	q->dnsbl = NULL;
	q->answer = *answer;
	g->answers[q->list] = (struct verdict_answer){true, true, &q->answer};
	list_tell(j, q->list, answer->status);
	if (g->stands || !verdict_is_settled(j->config, j->lists, g->answers, j->count))
		return;
	loop_timer_stop(g->timer);
	judgement_decide(g);
	judgement_tell(g);
}

struct judgement *judgement_start(struct judge *j, const struct ip *client)
{
	struct judgement *g = mem_new(1, sizeof *g);
	int64_t timeout_ms = j->config->timeout_ms;

	g->judge = j;
	g->client = *client;
	g->start_ms = clock_mono_ms();
	g->answers = mem_new(j->count + 1, sizeof *g->answers);
	g->questions = mem_new(j->count + 1, sizeof *g->questions);
	g->timer = loop_timer_new(j->loop, judgement_due, g);
	for (size_t i = 0; i < j->count; i++) {
		struct question *q = &g->questions[i];
		struct domain name;

		q->whole = g;
		q->list = i;
		if (client->family == 6 && !j->lists[i].config->ip6)
			continue;
		if (!dnsbl_name_of_ip(client, &j->asking[i].dnsbl.zone, &name))
			continue;
		g->answers[i].asked = true;
		/* A little longer than we wait: what comes at the last moment is seen. */
		q->dnsbl = dnsbl_start(
			&j->asking[i].dnsbl, &name, timeout_ms + 100, question_answered, q);
	}
	if (verdict_is_settled(j->config, j->lists, g->answers, j->count))
		judgement_decide(g);
	else
		loop_timer_set(g->timer, timeout_ms);
	return g;
}

void judgement_wait(struct judgement *g, judgement_fn *fn, void *ctx)
{
	g->fn = fn;
	g->ctx = ctx;
	if (g->stands)
		loop_timer_set(g->timer, 0);
}

const struct verdict *judgement_verdict(const struct judgement *g)
{
	return g->stands ? &g->verdict : NULL;
}

int64_t judgement_age_ms(const struct judgement *g)
{
	return clock_mono_ms() - g->start_ms;
}

int64_t judgement_took_ms(const struct judgement *g)
{
	return g->end_ms - g->start_ms;
}

struct judgement *judgement_free(struct judgement *g)
{
	if (!g)
		return NULL;
	judgement_close_questions(g);
	loop_timer_free(g->timer);
	free(g->answers);
	free(g->questions);
	free(g);
	return NULL;
}
