/* view_removal.c - the answer to a removal request: granted, or which condition is not met and what
 * to do about it. The decision is listd's; here are the words. */
#include "webd/view.h"

#include "ledger/policy.h"

static json_t *title_of(const struct config_list *list)
{
	return json_string(list->title && list->title[0] ? list->title : list->name);
}

static void message(json_t *to, json_t *words)
{
	json_object_set_new(to, "message", words);
}

static void advice(json_t *to, json_t *words)
{
	json_object_set_new(to, "advice", words);
}

static void granted(const struct view *v, const struct removal *r, json_t *to)
{
	json_t *ttl = say_span(v->language, r->list->ttl);

	message(to, say(v->language, N_("{{subject}} is no longer on the list “{{title}}”."),
			    "{s:s,s:o}", "subject", r->subject.text, "title", title_of(r->list)));
	advice(to, say(v->language,
			   N_("Our name servers say so at once; mail servers that asked before may "
			      "remember the old answer "
			      "for up to {{span}}. If spam comes again, so does the listing: for "
			      "longer, and the next "
			      "removal is harder."),
			   "{s:O}", "span", json_object_get(ttl, "words")));
	json_object_set_new(to, "remembered", ttl);
}

static void refused_fcrdns(const struct view *v, const struct removal *r,
	const struct fcrdns_result *fcrdns, json_t *to)
{
	json_t *condition;

	if (!fcrdns || !r->address.family) {
		message(to, say(v->language,
				    N_("This list wants reverse and forward DNS to match, and no "
				       "address was given whose "
				       "DNS could speak for {{subject}}."),
				    "{s:s}", "subject", r->subject.text));
		advice(to, say(v->language,
				   N_("In an IPv6 network, look up the address of your mail server "
				      "itself. For a whole "
				      "network, please write to the operator."),
				   NULL));
		return;
	}
	condition = view_fcrdns(v, &r->address, fcrdns);
	json_object_update_missing(to, condition);
	json_object_del(to, "name");
	json_object_del(to, "met");
	json_decref(condition);
}

static void refused_quiet(
	const struct view *v, const struct removal *r, int64_t until_ms, json_t *to)
{
	message(to, until_ms ? say(v->language,
			    N_("The last evidence against {{subject}} is too fresh. Ask again from "
			       "{{time}} on; "
			       "new evidence moves that time."),
			    "{s:s,s:o}", "subject", r->subject.text, "time",
			    say_time(v->language, until_ms))
			     : say(v->language,
				     N_("The last evidence against {{subject}} is too fresh."),
				     "{s:s}", "subject", r->subject.text));
	advice(to, say(v->language,
			   N_("Find and stop what sends the spam first: a listing that is removed "
			      "too early comes back, "
			      "and for longer."),
			   NULL));
}

static void refused_too_many(
	const struct view *v, const struct removal *r, int64_t until_ms, json_t *to)
{
	json_t *period = say_span(v->language, r->list->leave_period);

	message(to,
		say(v->language,
			N_("{{subject}} was removed on request as often as this list allows: "
			   "{{max}} times within {{span}}."),
			"{s:s,s:I,s:O}", "subject", r->subject.text, "max",
			(json_int_t)r->list->leave_max, "span", json_object_get(period, "words")));
	advice(to, until_ms ? say(v->language,
			   N_("The next request can be granted from {{time}} on, if the listing "
			      "has not ended by "
			      "itself before. Until then, look for the cause: something still "
			      "sends spam."),
			   "{s:o}", "time", say_time(v->language, until_ms))
			    : say(v->language,
				    N_("The listing ends by itself when no new evidence comes in."),
				    NULL));
	json_decref(period);
}

static void refused(const struct view *v, const struct removal *r, const char *reason,
	int64_t until_ms, const struct fcrdns_result *fcrdns, json_t *to)
{
	const struct language *l = v->language;

	if (strcmp(reason, "fcrdns") == 0) {
		refused_fcrdns(v, r, fcrdns, to);
	} else if (strcmp(reason, "quiet") == 0) {
		refused_quiet(v, r, until_ms, to);
	} else if (strcmp(reason, "too-many") == 0) {
		refused_too_many(v, r, until_ms, to);
	} else if (strcmp(reason, "not-listed") == 0) {
		message(to,
			say(l,
				N_("{{subject}} is not on the list “{{title}}” (any more): there "
				   "is nothing to remove."),
				"{s:s,s:o}", "subject", r->subject.text, "title",
				title_of(r->list)));
	} else if (strcmp(reason, "leave-auto") == 0) {
		message(to,
			say(l, N_("This list takes no requests: its listings end by themselves."),
				NULL));
		if (until_ms)
			advice(to, say(l,
					   N_("This one ends at {{time}}, if no new evidence comes "
					      "in."),
					   "{s:o}", "time", say_time(l, until_ms)));
	} else if (strcmp(reason, "leave-none") == 0) {
		message(to, say(l, N_("This list takes no removal requests."), NULL));
		advice(to, say(l,
				   N_("Please write to the operator; the address is at the foot of "
				      "this page."),
				   NULL));
	} else {
		message(to, say(l, N_("The request was refused."), NULL));
	}
}

json_t *view_removal(const struct view *v, const struct removal *r, const json_t *reply,
	const struct fcrdns_result *fcrdns)
{
	bool done = json_is_true(json_object_get(reply, "removed"));
	const char *reason = json_string_value(json_object_get(reply, "reason"));
	int64_t until_ms = view_clamp_time(json_integer_value(json_object_get(reply, "until")));
	json_t *to = json_pack("{s:s,s:o,s:s,s:b}", "list", r->list->name, "title",
		title_of(r->list), "subject", r->subject.text, "removed", (int)done);

	if (r->address.family)
		json_object_set_new(to, "_address", json_string(ip_text(&r->address).s));
	if (done) {
		granted(v, r, to);
		return to;
	}
	if (!reply)
		reason =
			"fcrdns"; /* the DNS did not answer: listd was not asked, nothing was decided */
	reason = reason ? reason : "refused";
	json_object_set_new(to, "reason", json_string(reason));
	view_time(v, to, "until", until_ms);
	refused(v, r, reason, until_ms, fcrdns, to);
	return to;
}
