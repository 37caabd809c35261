/* ledger.c - the list's book: joins policy, never-lists and store. */
#include "ledger/ledger.h"

#include "base/mem.h"

#define REFUSAL_PAUSE_MS ((int64_t)24 * 3600 * 1000)
#define NEVER_BATCH 500

struct ledger {
	const struct config *config;
	struct store *store;
	struct never *never;
	struct ledger_list *lists;
	size_t list_count;
};

static bool never_sweep(struct ledger *l, int64_t now_ms, struct err *err);

struct ledger *ledger_open(
	const struct config *config, struct store *store, int64_t now_ms, struct err *err)
{
	struct ledger *l = mem_new(1, sizeof *l);

	*l = (struct ledger){.config = config, .store = store};
	l->lists = mem_new(config->list_count + 1, sizeof *l->lists);
	l->never = never_open(&config->listd, err);
	if (!l->never || !store_begin(store, err))
		return ledger_free(l);
	for (size_t i = 0; i < config->list_count; i++) {
		struct ledger_list *list = &l->lists[l->list_count++];

		list->config = &config->lists[i];
		if (!store_list_id(store, list->config->name, &list->id, err))
			return ledger_free(l);
	}
	if (!never_sweep(l, now_ms, err) || !store_commit(store, err))
		return ledger_free(l);
	return l;
}

struct ledger *ledger_free(struct ledger *l)
{
	if (l) {
		if (store_in_group(l->store))
			store_rollback(l->store);
		never_free(l->never);
		free(l->lists);
		free(l);
	}
	return NULL;
}

struct store *ledger_store(struct ledger *l)
{
	return l->store;
}

size_t ledger_list_count(const struct ledger *l)
{
	return l->list_count;
}

const struct ledger_list *ledger_list_at(const struct ledger *l, size_t i)
{
	return &l->lists[i];
}

const struct ledger_list *ledger_list_find(const struct ledger *l, struct slice name)
{
	for (size_t i = 0; i < l->list_count; i++)
		if (slice_eq(slice_str(l->lists[i].config->name), name))
			return &l->lists[i];
	return NULL;
}

/* Between request's start and end nothing is half done: either all of it, or, on failure, none. */
static bool finish(struct ledger *l, bool ok, struct err *err)
{
	if (ok)
		return store_release(l->store, err);
	store_undo(l->store);
	return false;
}

/* ---- the ends of a listing ---- */

static bool listing_end(struct ledger *l, struct listing *g, enum listing_state state,
	const char *who, const struct reason *reason, int64_t now_ms, struct err *err)
{
	g->state = state;
	g->ended_ms = state == LISTING_EXPIRED ? g->expires_ms : now_ms;
	if (state == LISTING_REMOVED) {
		g->removed_ms = now_ms;
		g->removals++;
	}
	return store_listing_put(l->store, g, err)
	       && store_change_add(l->store, STORE_OP_REMOVE, g, err)
	       && store_journal_add(l->store, now_ms, who,
		       state == LISTING_EXPIRED ? JOURNAL_EXPIRED : JOURNAL_REMOVED, g->list,
		       g->subject, reason, err);
}

static bool listing_is_over(const struct listing *g, int64_t now_ms)
{
	return g->state == LISTING_ACTIVE && g->expires_ms > 0 && g->expires_ms <= now_ms;
}

static bool listing_expire(struct ledger *l, struct listing *g, int64_t now_ms, struct err *err)
{
	static const struct reason expired = {.code = REASON_EXPIRED};

	return listing_end(l, g, LISTING_EXPIRED, "listd", &expired, now_ms, err);
}

/* The listing as it is at this moment: one whose time is over is ended first. */
static bool listing_now(struct ledger *l, int64_t list, const char *subject, int64_t now_ms,
	struct listing *ret, bool *ret_found, struct err *err)
{
	if (!store_listing_get(l->store, list, subject, ret, ret_found, err))
		return false;
	return !*ret_found || !listing_is_over(ret, now_ms) || listing_expire(l, ret, now_ms, err);
}

static struct policy_past past_of(const struct listing *g, bool found)
{
	if (!found)
		return (struct policy_past){0};
	return (struct policy_past){
		.listed_before = true,
		.active = g->state == LISTING_ACTIVE,
		.expires_ms = g->expires_ms,
		.ended_ms = g->ended_ms,
		.removed_ms = g->removed_ms,
		.relist = g->relist,
	};
}

/* An allow-list acts on what stands already: a batch at a time, from where the last one ended. */
struct sweep {
	struct ledger *ledger;
	struct listing found[NEVER_BATCH];
	struct reason why[NEVER_BATCH];
	size_t found_count;
	char after[SUBJECT_TEXT_MAX];
	size_t seen;
};

static bool sweep_one(void *ctx, const struct listing *g)
{
	struct sweep *w = ctx;
	struct reason *why = &w->why[w->found_count];
	struct subject s;

	*why = (struct reason){0};
	w->seen++;
	(void)slice_copy(slice_str(g->subject), w->after, sizeof w->after);
	if (!subject_parse(slice_str(g->subject), &s, NULL)
		|| !never_allows(w->ledger->never, &s, why))
		w->found[w->found_count++] = *g;
	return true;
}

static bool never_sweep(struct ledger *l, int64_t now_ms, struct err *err)
{
	int64_t today = never_fingerprint(l->never), swept = 0;
	struct sweep *w;
	bool ok = true;

	/* Millions of listings are not looked through at each start: only after a change. */
	for (size_t i = 0; i < l->list_count; i++)
		today = (int64_t)((uint64_t)today * 31 + (uint64_t)l->lists[i].id);
	if (!store_meta_get(l->store, "never", &swept, err))
		return false;
	if (swept == today)
		return true;
	w = mem_new(1, sizeof *w);
	w->ledger = l;
	for (size_t i = 0; ok && i < l->list_count; i++) {
		w->after[0] = '\0';
		do {
			w->found_count = w->seen = 0;
			ok = store_listing_each(
				l->store, l->lists[i].id, w->after, NEVER_BATCH, sweep_one, w, err);
			for (size_t k = 0; ok && k < w->found_count; k++)
				ok = listing_end(l, &w->found[k], LISTING_REMOVED, "listd",
					&w->why[k], now_ms, err);
		} while (ok && w->seen == NEVER_BATCH);
	}
	free(w);
	return ok && store_meta_put(l->store, "never", today, err);
}

/* ---- evidence ---- */

static bool refuse_listing(struct ledger *l, const struct ledger_list *list,
	const struct subject *s, const char *who, const struct reason *why, int64_t now_ms,
	struct err *err)
{
	int64_t last_ms;

	/* Somebody protected who hits traps all day is one line a day. */
	if (!store_journal_last(l->store, list->id, s->text, JOURNAL_REFUSED, &last_ms, err))
		return false;
	return (last_ms > 0 && now_ms - last_ms < REFUSAL_PAUSE_MS)
	       || store_journal_add(
		       l->store, now_ms, who, JOURNAL_REFUSED, list->id, s->text, why, err);
}

static bool apply_decision(struct ledger *l, const struct ledger_list *list,
	const struct policy_decision *d, const char *who, int64_t now_ms, struct listing *g,
	struct err *err)
{
	bool fresh = d->verdict == POLICY_LIST;

	g->state = LISTING_ACTIVE;
	g->last_ms = now_ms;
	g->expires_ms = d->expires_ms;
	if (fresh) {
		g->since_ms = now_ms;
		g->ended_ms = 0;
		g->relist = d->relist;
		g->code = 0;
		g->text[0] = '\0';
		g->cause = d->reason;
	}
	return store_listing_put(l->store, g, err)
	       && store_change_add(l->store, STORE_OP_PUT, g, err)
	       && store_journal_add(l->store, now_ms, who, fresh ? JOURNAL_LISTED : JOURNAL_RENEWED,
		       list->id, g->subject, &d->reason, err);
}

/* Tied to the subject, summed, judged, carried out. */
static bool judge_subject(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	const struct evidence *e, int64_t id, const char *who, int64_t now_ms,
	struct ledger_evidence_result *ret, struct err *err)
{
	int64_t weight = policy_share(
		policy_weight(&l->config->listd.weights, e->kind, e->class), e->share);
	struct listing g = {.list = list->id};
	struct policy_past past;
	struct policy_sum sum = {0};
	struct policy_decision decision;
	struct reason why;
	int64_t since_ms;
	bool found;

	if (!store_evidence_tie(l->store, list->id, s->text, e, id, weight, err))
		return false;
	if (weight <= 0)
		return true;
	if (!listing_now(l, list->id, s->text, now_ms, &g, &found, err))
		return false;
	past = past_of(&g, found);
	since_ms = policy_window_start(list->config, &past, now_ms);
	if (e->at_ms < since_ms)
		return true; /* it comes too late to say anything about now */
	/* An active listing is renewed by any evidence: no sum needed, which keeps a flood cheap. */
	sum.weight = weight;
	if (!past.active && !store_evidence_sum(l->store, list->id, s->text, since_ms, &sum, err))
		return false;
	policy_judge(list->config, &past, &sum, now_ms, &decision);
	if (decision.verdict == POLICY_NOTHING)
		return true;
	if (!never_allows(l->never, s, &why))
		return refuse_listing(l, list, s, who, &why, now_ms, err);
	g.list = list->id;
	(void)slice_copy(slice_str(s->text), g.subject, sizeof g.subject);
	if (!apply_decision(l, list, &decision, who, now_ms, &g, err))
		return false;
	if (ret->made_count < ARRAY_LEN(ret->made))
		ret->made[ret->made_count++] = (struct ledger_made){list, g};
	return true;
}

static bool evidence_on_list(struct ledger *l, const struct ledger_list *list,
	const struct evidence *e, int64_t id, const struct subject *ip,
	const struct subject *domains, size_t domain_count, const char *who, int64_t now_ms,
	struct ledger_evidence_result *ret, struct err *err)
{
	struct subject whole;

	if (!list->config->automatic)
		return true;
	if (list->config->kind == LIST_IP) {
		if (!ip)
			return true;
		whole = *ip;
		if (ip->prefix.ip.family == 6 && ip->prefix.len > list->config->ip6_prefix) {
			struct prefix p =
				prefix_of(&ip->prefix.ip, (unsigned)list->config->ip6_prefix);

			subject_of_prefix(&p, &whole);
		}
		return judge_subject(l, list, &whole, e, id, who, now_ms, ret, err);
	}
	for (size_t i = 0; i < domain_count; i++)
		if (!judge_subject(l, list, &domains[i], e, id, who, now_ms, ret, err))
			return false;
	return true;
}

bool ledger_evidence(struct ledger *l, const struct evidence *e, const struct subject *ip,
	const struct subject *domains, size_t domain_count, const char *who, int64_t now_ms,
	struct ledger_evidence_result *ret, struct err *err)
{
	struct evidence seen = *e;
	bool fresh, ok;

	ret->made_count = 0;
	seen.received_ms = now_ms;
	seen.at_ms = MIN(e->at_ms, now_ms);
	if (!store_save(l->store, err))
		return false;
	ok = store_evidence_add(l->store, &seen, &ret->id, &fresh, err);
	ret->known = ok && !fresh;
	for (size_t i = 0; ok && fresh && i < l->list_count; i++)
		ok = evidence_on_list(l, &l->lists[i], &seen, ret->id, ip, domains, domain_count,
			who, now_ms, ret, err);
	return finish(l, ok, err);
}

/* ---- by hand and from feeds ---- */

static bool entry_check(
	struct ledger *l, const struct ledger_entry *e, int64_t now_ms, struct err *err)
{
	bool is_domain = e->subject->kind == SUBJECT_DOMAIN;
	struct reason why;

	if (is_domain != (e->list->config->kind == LIST_DOMAIN))
		return err_set(err, ERR_REFUSED, "list %s holds %s, not %s", e->list->config->name,
			is_domain ? "addresses" : "domains", is_domain ? "domains" : "addresses");
	if (e->expires_ms != 0 && e->expires_ms <= now_ms)
		return err_set(err, ERR_REFUSED, "its expiry lies in the past");
	if (e->code != 0 && e->code >> 24 != 127)
		return err_set(err, ERR_REFUSED, "a code lies in 127.0.0.0/8");
	return never_allows(l->never, e->subject, &why) || never_error(&why, err);
}

static bool entry_put(struct ledger *l, const struct ledger_entry *e, int64_t now_ms,
	struct listing *g, bool found, struct err *err)
{
	struct policy_past past = past_of(g, found);
	bool was_active = past.active;
	enum journal_action action = was_active ? JOURNAL_RENEWED : JOURNAL_LISTED;

	if (!was_active) {
		g->relist = policy_relist(e->list->config, &past, now_ms);
		g->since_ms = now_ms;
		g->ended_ms = 0;
	}
	g->list = e->list->id;
	g->state = LISTING_ACTIVE;
	g->last_ms = now_ms;
	g->code = e->code;
	g->expires_ms = e->expires_ms;
	(void)slice_copy(slice_str(e->subject->text), g->subject, sizeof g->subject);
	if (!slice_copy(slice_str(e->text), g->text, sizeof g->text))
		return err_set(err, ERR_LIMIT, "text is longer than %zu bytes", sizeof g->text - 1);
	g->cause = reason_of(e->imported ? REASON_FEED : REASON_BY_HAND, slice_str(e->reason));
	if (!store_listing_put(l->store, g, err)
		|| !store_change_add(l->store, STORE_OP_PUT, g, err))
		return false;
	/* A feed that renews all of its items each day is not worth a line for each. */
	if (e->imported && was_active)
		return true;
	if (e->imported)
		action = JOURNAL_IMPORTED;
	return store_journal_add(
		l->store, now_ms, e->who, action, g->list, g->subject, &g->cause, err);
}

static bool same_entry(const struct listing *g, const struct ledger_entry *e)
{
	return g->state == LISTING_ACTIVE && g->code == e->code && g->expires_ms == e->expires_ms
	       && slice_eq(slice_str(g->text), slice_str(e->text));
}

bool ledger_add(struct ledger *l, const struct ledger_entry *e, int64_t now_ms, struct listing *ret,
	bool *ret_new, struct err *err)
{
	struct listing g = {0};
	bool found, ok;

	if (!entry_check(l, e, now_ms, err) || (!e->imported && !store_save(l->store, err)))
		return false;
	ok = listing_now(l, e->list->id, e->subject->text, now_ms, &g, &found, err);
	*ret_new = false;
	if (ok && !(found && same_entry(&g, e))) {
		*ret_new = true;
		ok = entry_put(l, e, now_ms, &g, found, err);
	}
	*ret = g;
	return e->imported ? ok : finish(l, ok, err);
}

/* ---- leaving ---- */

bool ledger_find(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	struct listing *ret, bool *ret_found, struct err *err)
{
	struct subject whole;
	struct prefix p;

	if (!store_listing_get(l->store, list->id, s->text, ret, ret_found, err))
		return false;
	if ((*ret_found && ret->state == LISTING_ACTIVE) || s->kind != SUBJECT_PREFIX
		|| s->prefix.ip.family != 6 || s->prefix.len <= list->config->ip6_prefix)
		return true;
	p = prefix_of(&s->prefix.ip, (unsigned)list->config->ip6_prefix);
	subject_of_prefix(&p, &whole);
	return store_listing_get(l->store, list->id, whole.text, ret, ret_found, err);
}

static bool find_now(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	int64_t now_ms, struct listing *ret, bool *ret_found, struct err *err)
{
	if (!ledger_find(l, list, s, ret, ret_found, err))
		return false;
	return !*ret_found || !listing_is_over(ret, now_ms) || listing_expire(l, ret, now_ms, err);
}

bool ledger_remove(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	const char *who, const char *words, int64_t now_ms, bool *ret_removed, struct err *err)
{
	struct reason reason = reason_of(REASON_BY_HAND, slice_str(words));
	struct listing g;
	bool found, ok, active;

	if (!store_save(l->store, err))
		return false;
	ok = find_now(l, list, s, now_ms, &g, &found, err);
	active = ok && found && g.state == LISTING_ACTIVE;
	if (active)
		ok = listing_end(l, &g, LISTING_REMOVED, who, &reason, now_ms, err);
	*ret_removed = ok && active;
	return finish(l, ok, err);
}

static bool decide_removal(struct ledger *l, const struct ledger_removal *r, int64_t now_ms,
	struct listing *g, struct policy_removal_decision *ret, struct err *err)
{
	int64_t since_ms = now_ms - (int64_t)r->list->config->leave_period * 1000;
	struct policy_request request = {
		.is_address = r->subject->kind == SUBJECT_PREFIX,
		.fcrdns = r->fcrdns && *r->fcrdns,
	};
	struct policy_past past;
	bool found;

	if (!find_now(l, r->list, r->subject, now_ms, g, &found, err))
		return false;
	if (found
		&& (!store_evidence_last(
			    l->store, r->list->id, g->subject, &request.last_evidence_ms, err)
			|| !store_removal_granted(l->store, r->list->id, g->subject, since_ms,
				&request.granted, &request.oldest_granted_ms, err)))
		return false;
	past = past_of(g, found);
	policy_judge_removal(r->list->config, &past, &request, now_ms, ret);
	return true;
}

static bool carry_out_removal(struct ledger *l, const struct ledger_removal *r, int64_t now_ms,
	struct listing *g, const struct policy_removal_decision *d, struct err *err)
{
	struct reason reason = reason_of(REASON_ASKED, slice_str(r->fcrdns));
	struct removal_request row = {
		.at_ms = now_ms,
		.requester = r->requester,
		.note = r->note,
		.fcrdns = r->fcrdns,
		.language = r->language,
		.granted = d->outcome == REMOVAL_GRANTED,
		.outcome = policy_removal_word(d->outcome),
	};

	/* A stranger may ask about anything: what is not listed is not worth a row. */
	if (d->outcome == REMOVAL_NOT_LISTED)
		return true;
	if (!store_removal_add(l->store, r->list->id, g->subject, &row, err))
		return false;
	if (d->outcome != REMOVAL_GRANTED)
		return true;
	return listing_end(l, g, LISTING_REMOVED, r->who, &reason, now_ms, err);
}

bool ledger_request_removal(struct ledger *l, const struct ledger_removal *r, int64_t now_ms,
	struct policy_removal_decision *ret, struct err *err)
{
	struct listing g = {0};
	bool ok;

	if (!store_save(l->store, err))
		return false;
	ok = decide_removal(l, r, now_ms, &g, ret, err)
	     && carry_out_removal(l, r, now_ms, &g, ret, err);
	return finish(l, ok, err);
}

bool ledger_expire(struct ledger *l, int64_t now_ms, int limit, int *ret_count, struct err *err)
{
	struct listing *due = mem_new((size_t)limit, sizeof *due);
	int count = 0;
	bool ok = store_save(l->store, err);

	if (ok) {
		ok = store_listing_due(l->store, now_ms, due, limit, &count, err);
		for (int i = 0; ok && i < count; i++)
			ok = listing_expire(l, &due[i], now_ms, err);
		ok = finish(l, ok, err);
	}
	free(due);
	*ret_count = ok ? count : 0;
	return ok;
}
