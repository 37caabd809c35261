/* view_lookup.c - what is known of one address or domain: listed where and why, until when, and how
 * to leave: each condition of the list, met or not, with what to do about it. */
#include "webd/view.h"

#include "ledger/policy.h"
#include "webd/token.h"

#define EVIDENCE_SHOWN_MAX 10
#define HISTORY_SHOWN_MAX 50

static const char *text_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static int64_t int_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Within 1970 to 9999, so that spans from it fit. */
static int64_t time_at(const json_t *object, const char *key)
{
	return view_clamp_time(int_at(object, key));
}

static bool is_active(const json_t *listing)
{
	return strcmp(text_at(listing, "state"), "active") == 0;
}

static const struct config_list *list_of(const struct config *config, const json_t *listing)
{
	return config_find_list(config, slice_str(text_at(listing, "list")));
}

static const char *title_of(const struct config_list *list, const json_t *named)
{
	return list && list->title && list->title[0] ? list->title : text_at(named, "list");
}

/* Whose reverse DNS speaks for a listing: the address itself; an address asked for within its own
 * IPv6 prefix (one host's network). Nobody speaks for a wider network. */
static bool speaker_of(const struct config_list *list, const struct subject *asked,
	const char *listed, struct ip *ret)
{
	struct prefix p;

	if (!list || list->kind != LIST_IP || asked->kind != SUBJECT_PREFIX
		|| asked->prefix.len != ip_bits(asked->prefix.ip.family)
		|| !prefix_parse(slice_str(listed), &p, NULL) || !prefix_covers(&p, &asked->prefix)
		|| (p.ip.family == 4 ? p.len < 32 : p.len < list->ip6_prefix))
		return false;
	*ret = asked->prefix.ip;
	return true;
}

bool lookup_wants_fcrdns(const struct config *config, const struct subject *asked,
	const json_t *reply, struct ip *ret_ip)
{
	json_t *listing;
	size_t i;

	json_array_foreach(json_object_get(reply, "listings"), i, listing)
	{
		const struct config_list *list = list_of(config, listing);

		if (list && is_active(listing) && list->leave == LEAVE_REQUEST && list->leave_fcrdns
			&& speaker_of(list, asked, text_at(listing, "subject"), ret_ip))
			return true;
	}
	return false;
}

json_t *view_fcrdns(const struct view *v, const struct ip *ip, const struct fcrdns_result *fcrdns)
{
	struct ip_text address = ip_text(ip);
	struct domain_text name = domain_text(&fcrdns->name);
	const char *n = fcrdns->name.len ? name.s : "";
	const char *record = ip->family == 4 ? "A" : "AAAA";
	const struct language *l = v->language;

	switch (fcrdns->status) {
	case FCRDNS_OK:
		return json_pack("{s:s,s:b,s:s,s:o}", "name", "fcrdns", "met", 1, "host", n,
			"message",
			say(l,
				N_("Reverse and forward DNS match: {{address}} is {{host}}, and "
				   "{{host}} is {{address}}."),
				"{s:s,s:s}", "address", address.s, "host", n));
	case FCRDNS_NO_PTR:
		return json_pack("{s:s,s:b,s:o,s:o}", "name", "fcrdns", "met", 0, "message",
			say(l, N_("{{address}} has no PTR record: its reverse DNS gives no name."),
				"{s:s}", "address", address.s),
			"advice",
			say(l,
				N_("Ask the provider that gave you the address to set its PTR "
				   "record to your mail server's "
				   "name, and give that name an {{record}} record with "
				   "{{address}}. Then come back."),
				"{s:s,s:s}", "address", address.s, "record", record));
	case FCRDNS_NO_MATCH:
		return json_pack("{s:s,s:b,s:s,s:o,s:o}", "name", "fcrdns", "met", 0, "host", n,
			"message",
			say(l,
				N_("Reverse DNS says that {{address}} is {{host}}, but the name "
				   "{{host}} does not point "
				   "back to {{address}}."),
				"{s:s,s:s}", "address", address.s, "host", n),
			"advice",
			say(l,
				N_("Give {{host}} an {{record}} record with {{address}}, or ask "
				   "your provider to change the "
				   "PTR record to a name that points to the address. Then come "
				   "back."),
				"{s:s,s:s,s:s}", "address", address.s, "host", n, "record",
				record));
	case FCRDNS_UNKNOWN:
		break;
	}
	return json_pack("{s:s,s:b,s:b,s:o,s:o}", "name", "fcrdns", "met", 0, "temporary", 1,
		"message",
		say(l,
			N_("The DNS did not answer in time, so it is not known whether reverse and "
			   "forward DNS of "
			   "{{address}} match."),
			"{s:s}", "address", address.s),
		"advice",
		say(l,
			N_("Please try again in a few minutes. If it stays so, look at the name "
			   "servers of your "
			   "reverse zone and of your mail server's name."),
			NULL));
}

/* Removals on request within the list's period, as the journal tells. */
static int removals_in_period(const struct view *v, const struct config_list *list,
	const json_t *listing, const json_t *reply, int64_t *ret_oldest)
{
	json_t *entry;
	size_t i;
	int count = 0;

	json_array_foreach(json_object_get(reply, "history"), i, entry)
	{
		if (strcmp(text_at(entry, "action"), "removed") != 0
			|| strcmp(text_at(entry, "list"), text_at(listing, "list")) != 0
			|| strcmp(text_at(entry, "subject"), text_at(listing, "subject")) != 0
			|| strcmp(text_at(entry, "who"), "webd") != 0
			|| time_at(entry, "at") < v->now_ms - (int64_t)list->leave_period * 1000)
			continue;
		if (!count || time_at(entry, "at") < *ret_oldest)
			*ret_oldest = time_at(entry, "at");
		count++;
	}
	return count;
}

static void condition_quiet(
	const struct view *v, const struct config_list *list, const json_t *listing, json_t *to)
{
	int64_t quiet_s =
		policy_quiet_s(list, (unsigned)MAX(0, MIN(int_at(listing, "relist"), 1000)));
	int64_t until_ms = time_at(listing, "last") + quiet_s * 1000;
	json_t *condition, *span;

	if (quiet_s <= 0)
		return;
	span = say_span(v->language, quiet_s);
	condition = json_pack("{s:s,s:b}", "name", "quiet", "met", until_ms <= v->now_ms);
	if (until_ms <= v->now_ms) {
		json_object_set_new(condition, "message",
			say(v->language, N_("No new evidence for at least {{span}}."), "{s:O}",
				"span", json_object_get(span, "words")));
	} else {
		view_time(v, condition, "until", until_ms);
		json_object_set_new(condition, "message",
			say(v->language,
				N_("The last evidence is less than {{span}} old. This condition is "
				   "met from {{time}} on, if "
				   "nothing new comes in."),
				"{s:O,s:o}", "span", json_object_get(span, "words"), "time",
				say_time(v->language, until_ms)));
		json_object_set_new(condition, "advice",
			say(v->language,
				N_("Find and stop what sends the spam first: a listing that is "
				   "removed too early "
				   "comes back, and for longer."),
				NULL));
	}
	json_decref(span);
	json_array_append_new(to, condition);
}

static void condition_count(const struct view *v, const struct config_list *list,
	const json_t *listing, const json_t *reply, json_t *to)
{
	int64_t oldest_ms = 0;
	int count = removals_in_period(v, list, listing, reply, &oldest_ms);
	bool met = count < list->leave_max;
	json_t *condition, *span;

	if (!list->leave_max)
		return;
	span = say_span(v->language, list->leave_period);
	condition = json_pack("{s:s,s:b}", "name", "too-many", "met", (int)met);
	json_object_set_new(condition, "message",
		say(v->language,
			met ? N_("At most {{max}} removals within {{span}}; so far {{count}}.")
			    : N_("It was removed {{count}} times within {{span}}, and this list "
				 "grants no more than "
				 "{{max}}."),
			"{s:I,s:I,s:O}", "max", (json_int_t)list->leave_max, "count",
			(json_int_t)count, "span", json_object_get(span, "words")));
	if (!met)
		view_time(v, condition, "until", oldest_ms + (int64_t)list->leave_period * 1000);
	json_decref(span);
	json_array_append_new(to, condition);
}

static void condition_fcrdns(const struct view *v, const struct config_list *list,
	const struct subject *asked, const json_t *listing, const struct fcrdns_result *fcrdns,
	json_t *to)
{
	struct ip ip;

	if (!list->leave_fcrdns || list->kind != LIST_IP)
		return;
	if (fcrdns && speaker_of(list, asked, text_at(listing, "subject"), &ip)) {
		json_array_append_new(to, view_fcrdns(v, &ip, fcrdns));
		return;
	}
	json_array_append_new(
		to, json_pack("{s:s,s:b,s:o,s:o}", "name", "fcrdns", "met", 0, "message",
			    say(v->language,
				    N_("Reverse and forward DNS must match, and no single address "
				       "speaks for the network "
				       "{{subject}}."),
				    "{s:s}", "subject", text_at(listing, "subject")),
			    "advice",
			    say(v->language,
				    N_("In an IPv6 network, look up the address of your mail "
				       "server itself. For a whole "
				       "network, please write to the operator."),
				    NULL)));
}

static json_t *leave_of(const struct view *v, const struct config_list *list,
	const struct subject *asked, const json_t *listing, const json_t *reply,
	const struct fcrdns_result *fcrdns)
{
	json_t *conditions = json_array(), *leave, *condition;
	const char *subject = text_at(listing, "subject");
	bool open = true;
	size_t i;

	if (list->leave != LEAVE_REQUEST) {
		json_decref(conditions);
		return json_pack("{s:s,s:b,s:b}", "way",
			list->leave == LEAVE_AUTO ? "auto" : "none", "open", 0,
			list->leave == LEAVE_AUTO ? "_auto" : "_none", 1);
	}
	condition_fcrdns(v, list, asked, listing, fcrdns, conditions);
	condition_quiet(v, list, listing, conditions);
	condition_count(v, list, listing, reply, conditions);
	json_array_foreach(conditions, i, condition) open =
		open && json_is_true(json_object_get(condition, "met"));
	leave = json_pack("{s:s,s:b,s:o,s:b}", "way", "request", "open", (int)open, "conditions",
		conditions, "_request", 1);
	json_object_set_new(leave, "_token",
		json_string(token_make(
			v->token_key, slice_str(list->name), slice_str(subject), v->now_ms)
				    .s));
	return leave;
}

static json_t *evidence_of(const struct view *v, const json_t *listing)
{
	static const char *const texts[] = {
		"sensor", "helo", "mail_from_domain", "subject_line", "sample"};
	json_t *all = json_array(), *item;
	size_t i;

	json_array_foreach(json_object_get(listing, "evidence"), i, item)
	{
		json_t *e = json_object();

		if (i == EVIDENCE_SHOWN_MAX)
			break;
		view_time(v, e, "at", time_at(item, "at"));
		json_object_set_new(e, "kind", json_string(text_at(item, "kind")));
		json_object_set_new(e, "kind_words", view_word(v, text_at(item, "kind")));
		json_object_set_new(e, "class", json_string(text_at(item, "class")));
		json_object_set_new(e, "class_words", view_word(v, text_at(item, "class")));
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			json_object_set_new(e, texts[k], json_string(text_at(item, texts[k])));
		json_array_append_new(all, e);
	}
	return all;
}

/* listd may send the code as a number or as an address. */
static json_t *code_of(const json_t *listing)
{
	json_t *code = json_object_get(listing, "code");
	struct ip ip;

	if (!json_is_integer(code))
		return json_string(text_at(listing, "code"));
	ip = ip4_of((uint32_t)json_integer_value(code));
	return json_string(ip_text(&ip).s);
}

static json_t *listing_of(const struct view *v, const struct subject *asked, const json_t *listing,
	const json_t *reply, const struct fcrdns_result *fcrdns)
{
	const struct config_list *list = list_of(v->config, listing);
	const char *subject = text_at(listing, "subject");
	json_t *to = json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:I,s:I}", "list",
		text_at(listing, "list"), "title", title_of(list, listing), "subject", subject,
		"state", text_at(listing, "state"), "code", code_of(listing), "text",
		text_at(listing, "text"), "cause",
		view_reason(v, json_object_get(listing, "cause")), "relist",
		(json_int_t)int_at(listing, "relist"), "removals",
		(json_int_t)int_at(listing, "removals"));

	view_time(v, to, "since", time_at(listing, "since"));
	view_time(v, to, "last", time_at(listing, "last"));
	view_time(v, to, "expires", time_at(listing, "expires"));
	json_object_set_new(to, "_wider", json_boolean(strcmp(subject, asked->text) != 0));
	json_object_set_new(to, "_nth", json_integer(int_at(listing, "relist") + 1));
	json_object_set_new(to, "zone", list ? json_string(list->zone) : json_null());
	if (!is_active(listing)) {
		json_object_set_new(to,
			strcmp(text_at(listing, "state"), "removed") == 0 ? "_removed" : "_expired",
			json_true());
		return to;
	}
	json_object_set_new(to, "evidence", evidence_of(v, listing));
	if (list)
		json_object_set_new(to, "leave", leave_of(v, list, asked, listing, reply, fcrdns));
	return to;
}

static json_t *history_of(const struct view *v, const json_t *reply)
{
	json_t *all = json_array(), *entry;
	size_t i;

	json_array_foreach(json_object_get(reply, "history"), i, entry)
	{
		const struct config_list *list = list_of(v->config, entry);
		json_t *to;

		if (i == HISTORY_SHOWN_MAX)
			break;
		/* Not who: names of operators and addresses of askers are nobody's business. */
		to = json_pack("{s:s,s:o,s:s,s:s,s:s,s:o}", "action", text_at(entry, "action"),
			"action_words", view_word(v, text_at(entry, "action")), "list",
			text_at(entry, "list"), "title", title_of(list, entry), "subject",
			text_at(entry, "subject"), "reason",
			view_reason(v, json_object_get(entry, "reason")));
		view_time(v, to, "at", time_at(entry, "at"));
		json_array_append_new(all, to);
	}
	return all;
}

/* Lists of the right kind that do not list it. */
static json_t *clear_of(const struct view *v, const struct subject *asked, const json_t *active)
{
	json_t *clear = json_array(), *listing;
	enum list_kind kind = asked->kind == SUBJECT_DOMAIN ? LIST_DOMAIN : LIST_IP;
	size_t k;

	for (size_t i = 0; i < v->config->list_count; i++) {
		const struct config_list *list = &v->config->lists[i];
		bool found = list->kind != kind;

		json_array_foreach(active, k, listing) found =
			found || strcmp(text_at(listing, "list"), list->name) == 0;
		if (!found)
			json_array_append_new(clear,
				json_pack("{s:s,s:s,s:s}", "list", list->name, "title",
					list->title && list->title[0] ? list->title : list->name,
					"zone", list->zone));
	}
	return clear;
}

/* And whether there is anything in it, for the heading above. */
static void set_array(json_t *to, const char *key, json_t *array)
{
	char flag[32];

	snprintf(flag, sizeof flag, "_has_%s", key);
	json_object_set_new(to, flag, json_boolean(json_array_size(array) > 0));
	json_object_set_new(to, key, array);
}

json_t *view_lookup(const struct view *v, const struct subject *asked, const json_t *reply,
	const struct fcrdns_result *fcrdns)
{
	json_t *active = json_array(), *ended = json_array(), *listing, *to;
	size_t i;

	json_array_foreach(json_object_get(reply, "listings"), i, listing) json_array_append_new(
		is_active(listing) ? active : ended, listing_of(v, asked, listing, reply, fcrdns));
	to = json_pack("{s:s,s:s,s:b}", "subject", asked->text, "kind",
		asked->kind == SUBJECT_DOMAIN				? "domain"
		: asked->prefix.len == ip_bits(asked->prefix.ip.family) ? "address"
									: "network",
		"listed", json_array_size(active) > 0);
	if (asked->kind == SUBJECT_PREFIX && prefix_is_special(&asked->prefix))
		json_object_set_new(to, "special", json_true());
	view_time(v, to, "at", v->now_ms);
	json_object_set_new(to, "listings", active);
	set_array(to, "ended", ended);
	set_array(to, "clear", clear_of(v, asked, active));
	set_array(to, "history", history_of(v, reply));
	return to;
}
