/* view_list.c - a list's policy in words, made from the configuration that listd acts on and with the
 * functions it decides with (ledger/policy.h), so the page can say nothing else than what happens. */
#include "webd/view.h"

#include "ledger/policy.h"

#define LIFETIMES_MAX 12

/* How many of one kind list by themselves. What hits no trap counts as one trap, so with several
 * wanted it never lists alone. */
static json_t *weight_of(const struct view *v, const struct config_list *list,
	enum evidence_kind kind, int64_t weight)
{
	const char *word = evidence_kind_word(kind);
	int64_t needed = MAX((list->threshold + weight - 1) / weight,
		kind == EVIDENCE_TRAP_HIT ? list->distinct_traps : 1);
	json_t *to = json_pack("{s:s,s:o,s:I}", "kind", word, "kind_words", view_word(v, word),
		"weight", (json_int_t)weight);

	json_object_set_new(to, "needed",
		kind != EVIDENCE_TRAP_HIT && list->distinct_traps > 1 ? json_null()
								      : json_integer(needed));
	return to;
}

static void policy_evidence(const struct view *v, const struct config_list *list, json_t *to)
{
	const struct config_weights *w = &v->config->listd.weights;
	static const enum evidence_kind kinds[] = {
		EVIDENCE_TRAP_HIT, EVIDENCE_ABUSE_REPORT, EVIDENCE_AUTH_FAILURE, EVIDENCE_MANUAL};
	json_t *weights = json_array();

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int64_t weight = policy_weight(w, kinds[i], CLASS_SPAM);

		if (weight > 0)
			json_array_append_new(weights, weight_of(v, list, kinds[i], weight));
	}
	json_object_set_new(to, "automatic", json_boolean(list->automatic));
	json_object_set_new(to, "threshold", json_integer(list->threshold));
	json_object_set_new(to, "window", say_span(v->language, list->window));
	json_object_set_new(to, "distinct_traps", json_integer(list->distinct_traps));
	json_object_set_new(to, "_several_traps", json_boolean(list->distinct_traps > 1));
	json_object_set_new(to, "weights", weights);
	if (list->kind == LIST_IP)
		json_object_set_new(to, "ip6_prefix", json_integer(list->ip6_prefix));
	json_object_set_new(to, "never",
		json_pack("{s:b,s:I,s:I}", "special_ranges", 1, "networks",
			(json_int_t)v->config->listd.never.count, "domains",
			(json_int_t)v->config->listd.never_domains.count));
}

static void policy_lifetimes(const struct view *v, const struct config_list *list, json_t *to)
{
	json_t *lifetimes = json_array();

	for (unsigned n = 0; n < LIFETIMES_MAX; n++) {
		int64_t seconds = policy_lifetime_s(list, n);
		bool last =
			seconds >= list->lifetime_max || policy_lifetime_s(list, n + 1) == seconds;
		json_t *step = say_span(v->language, seconds);

		json_object_set_new(step, "relist", json_integer(n));
		json_object_set_new(step, "_nth", json_integer(n + 1));
		json_object_set_new(step, "and_later", json_boolean(last));
		json_array_append_new(lifetimes, step);
		if (last)
			break;
	}
	json_object_set_new(to, "lifetimes", lifetimes);
	json_object_set_new(to, "lifetime", say_span(v->language, list->lifetime));
	json_object_set_new(to, "lifetime_max", say_span(v->language, list->lifetime_max));
}

static const char *const leave_words[] = {
	[LEAVE_AUTO] = "auto", [LEAVE_REQUEST] = "request", [LEAVE_NONE] = "none"};

static void policy_leave(const struct view *v, const struct config_list *list, json_t *to)
{
	json_t *leave =
		json_pack("{s:s,s:b}", "way", leave_words[list->leave], "relisting_is_harder", 1);

	json_object_set_new(leave,
		list->leave == LEAVE_REQUEST ? "_request"
		: list->leave == LEAVE_AUTO  ? "_auto"
					     : "_none",
		json_true());
	if (list->leave == LEAVE_REQUEST) {
		json_object_set_new(
			leave, "fcrdns", json_boolean(list->leave_fcrdns && list->kind == LIST_IP));
		json_object_set_new(leave, "quiet", say_span(v->language, list->leave_quiet));
		json_object_set_new(leave, "_quiet", json_boolean(list->leave_quiet > 0));
		json_object_set_new(leave, "max", json_integer(list->leave_max)); /* 0: no limit */
		json_object_set_new(leave, "period", say_span(v->language, list->leave_period));
	}
	json_object_set_new(to, "leave", leave);
}

static void test_point(
	json_t *to, const char *query, const char *labels, const char *zone, bool listed)
{
	char name[512];

	snprintf(name, sizeof name, "%s.%s", labels, zone);
	json_array_append_new(to,
		json_pack("{s:s,s:s,s:b}", "query", query, "name", name, "listed", (int)listed));
}

/* RFC 5782, 5. */
static json_t *test_points(const struct config_list *list)
{
	json_t *points = json_array();

	if (list->kind == LIST_DOMAIN) {
		test_point(points, "TEST", "test", list->zone, true);
		test_point(points, "INVALID", "invalid", list->zone, false);
		return points;
	}
	test_point(points, "127.0.0.2", "2.0.0.127", list->zone, true);
	test_point(points, "127.0.0.1", "1.0.0.127", list->zone, false);
	test_point(points, "::FFFF:7F00:2",
		"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", list->zone,
		true);
	test_point(points, "::FFFF:7F00:1",
		"1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", list->zone,
		false);
	return points;
}

static json_t *list_active(const struct config_list *list, const json_t *status)
{
	json_t *item, *lists = json_object_get(status, "lists");
	size_t i;

	json_array_foreach(lists, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && strcmp(name, list->name) == 0)
			return json_copy(json_object_get(item, "active"));
	}
	return json_null();
}

json_t *view_list(const struct view *v, const struct config_list *list, const json_t *status)
{
	struct ip code = ip4_of(list->code);
	json_t *to = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?}", "name", list->name, "title",
		list->title && list->title[0] ? list->title : list->name, "zone", list->zone,
		"kind", list->kind == LIST_IP ? "ip" : "domain", "code", ip_text(&code).s, "text",
		list->text && list->text[0] ? list->text : NULL);

	json_object_set_new(to, list->kind == LIST_IP ? "_ip" : "_domain", json_true());
	json_object_set_new(to, "active", list_active(list, status));
	json_object_set_new(to, "_active_known", json_boolean(status != NULL));
	policy_evidence(v, list, to);
	policy_lifetimes(v, list, to);
	policy_leave(v, list, to);
	json_object_set_new(to, "ttl", say_span(v->language, list->ttl));
	json_object_set_new(to, "negative_ttl", say_span(v->language, list->negative_ttl));
	json_object_set_new(to, "test_points", test_points(list));
	return to;
}

json_t *view_lists(const struct view *v, const json_t *status)
{
	json_t *lists = json_array();

	for (size_t i = 0; i < v->config->list_count; i++)
		json_array_append_new(lists, view_list(v, &v->config->lists[i], status));
	return json_pack("{s:o}", "lists", lists);
}
