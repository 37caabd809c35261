/* policy.c - decides: does this evidence list, renew, or not; may this listing leave on request. */
#include "ledger/policy.h"

static const struct {
	enum evidence_kind kind;
	const char *word;
} kinds[] = {
	{EVIDENCE_TRAP_HIT, "trap-hit"},
	{EVIDENCE_ABUSE_REPORT, "abuse-report"},
	{EVIDENCE_AUTH_FAILURE, "auth-failure"},
	{EVIDENCE_MANUAL, "manual"},
};

static const struct {
	enum evidence_class class;
	const char *word;
} classes[] = {
	{CLASS_SPAM, "spam"},
	{CLASS_BACKSCATTER, "backscatter"},
	{CLASS_AUTO_REPLY, "auto-reply"},
	{CLASS_CHALLENGE, "challenge"},
};

const char *evidence_kind_word(enum evidence_kind k)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == k)
			return kinds[i].word;
	return "unknown";
}

bool evidence_kind_parse(struct slice word, enum evidence_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_eq(word, slice_str(kinds[i].word))) {
			*ret = kinds[i].kind;
			return true;
		}
	return false;
}

const char *evidence_class_word(enum evidence_class c)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].class == c)
			return classes[i].word;
	return "unknown";
}

bool evidence_class_parse(struct slice word, enum evidence_class *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (slice_eq(word, slice_str(classes[i].word))) {
			*ret = classes[i].class;
			return true;
		}
	return false;
}

int64_t policy_weight(const struct config_weights *w, enum evidence_kind k, enum evidence_class c)
{
	if (c != CLASS_SPAM)
		return 0;
	switch (k) {
	case EVIDENCE_TRAP_HIT:
		return w->trap_hit;
	case EVIDENCE_ABUSE_REPORT:
		return w->abuse_report;
	case EVIDENCE_AUTH_FAILURE:
		return w->auth_failure;
	case EVIDENCE_MANUAL:
		return w->manual;
	}
	return 0;
}

int64_t policy_share(int64_t weight, unsigned percent)
{
	if (weight <= 0 || !percent)
		return 0;
	return MAX((weight * (int64_t)MIN(percent, 100u) + 50) / 100, 1);
}

/* base_s doubled n times, at most max_s; without overflow for any n. */
static int64_t doubled(int64_t base_s, unsigned n, int64_t max_s)
{
	int64_t s = base_s;

	while (n-- > 0 && s > 0 && s < max_s)
		s *= 2;
	return s > max_s && max_s > base_s ? max_s : (max_s <= base_s ? base_s : s);
}

int64_t policy_lifetime_s(const struct config_list *l, unsigned relist)
{
	return doubled(l->lifetime, relist, l->lifetime_max);
}

int64_t policy_quiet_s(const struct config_list *l, unsigned relist)
{
	/* Beyond the lifetime it would end by itself. */
	return doubled(l->leave_quiet, relist, MAX(l->leave_quiet, policy_lifetime_s(l, relist)));
}

int64_t policy_window_start(
	const struct config_list *l, const struct policy_past *past, int64_t now_ms)
{
	int64_t start = now_ms - (int64_t)l->window * 1000;

	/* What was forgiven does not list again. */
	return past->removed_ms >= start ? past->removed_ms + 1 : start;
}

unsigned policy_relist(const struct config_list *l, const struct policy_past *past, int64_t now_ms)
{
	int64_t forget_ms = MAX(l->lifetime, l->lifetime_max) * (int64_t)1000;

	if (!past->listed_before)
		return 0;
	if (past->active)
		return past->relist;
	if (now_ms - past->ended_ms >= forget_ms)
		return 0;
	return past->relist + 1;
}

static void judge_active(const struct config_list *l, const struct policy_past *past,
	int64_t now_ms, struct policy_decision *ret)
{
	int64_t lifetime_ms = policy_lifetime_s(l, past->relist) * 1000;
	int64_t expires_ms = now_ms + lifetime_ms;

	*ret = (struct policy_decision){.verdict = POLICY_NOTHING, .relist = past->relist};
	/* A flood from one host must not become a flood of changes: less than a hundredth of the
	 * lifetime more is not worth one. */
	if (past->expires_ms == 0 || expires_ms - past->expires_ms < MAX(lifetime_ms / 100, 1))
		return;
	ret->verdict = POLICY_RENEW;
	ret->expires_ms = expires_ms;
	ret->reason = (struct reason){
		.code = REASON_MORE_EVIDENCE,
		.lifetime_s = lifetime_ms / 1000,
	};
}

void policy_judge(const struct config_list *l, const struct policy_past *past,
	const struct policy_sum *sum, int64_t now_ms, struct policy_decision *ret)
{
	int64_t lifetime_s;
	unsigned relist;

	*ret = (struct policy_decision){.verdict = POLICY_NOTHING};
	if (!l->automatic || sum->weight <= 0)
		return;
	if (past->active) {
		judge_active(l, past, now_ms, ret);
		return;
	}
	if (sum->weight < l->threshold || sum->traps < l->distinct_traps)
		return;
	relist = policy_relist(l, past, now_ms);
	lifetime_s = policy_lifetime_s(l, relist);
	ret->verdict = POLICY_LIST;
	ret->relist = relist;
	ret->expires_ms = now_ms + lifetime_s * 1000;
	ret->reason = (struct reason){
		.code = REASON_THRESHOLD,
		.weight = sum->weight,
		.window_s = l->window,
		.traps = sum->traps,
		.threshold = l->threshold,
		.lifetime_s = lifetime_s,
		.relist = relist,
	};
}

void policy_judge_removal(const struct config_list *l, const struct policy_past *past,
	const struct policy_request *q, int64_t now_ms, struct policy_removal_decision *ret)
{
	int64_t quiet_until_ms = q->last_evidence_ms + policy_quiet_s(l, past->relist) * 1000;

	*ret = (struct policy_removal_decision){.outcome = REMOVAL_GRANTED};
	if (!past->active) {
		ret->outcome = REMOVAL_NOT_LISTED;
	} else if (l->leave == LEAVE_AUTO) {
		ret->outcome = REMOVAL_LEAVE_AUTO;
		ret->until_ms = past->expires_ms;
	} else if (l->leave == LEAVE_NONE) {
		ret->outcome = REMOVAL_LEAVE_NONE;
	} else if (l->leave_max > 0 && q->granted >= l->leave_max) {
		ret->outcome = REMOVAL_TOO_MANY;
		ret->until_ms = q->oldest_granted_ms + (int64_t)l->leave_period * 1000;
	} else if (l->leave_fcrdns && q->is_address && !q->fcrdns) {
		ret->outcome = REMOVAL_FCRDNS;
	} else if (q->last_evidence_ms > 0 && quiet_until_ms > now_ms) {
		ret->outcome = REMOVAL_QUIET;
		ret->until_ms = quiet_until_ms;
	}
}

const char *policy_removal_word(enum policy_removal r)
{
	static const char *const words[] = {
		[REMOVAL_GRANTED] = "granted",
		[REMOVAL_NOT_LISTED] = "not-listed",
		[REMOVAL_LEAVE_AUTO] = "leave-auto",
		[REMOVAL_LEAVE_NONE] = "leave-none",
		[REMOVAL_FCRDNS] = "fcrdns",
		[REMOVAL_QUIET] = "quiet",
		[REMOVAL_TOO_MANY] = "too-many",
	};

	return words[r];
}
