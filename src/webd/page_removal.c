/* page_removal.c - POST /remove. From a form it needs the token that only our own page has, so that no
 * other site can make a visitor's browser ask. As JSON it needs none: a page of another site cannot
 * send that type without asking first (CORS preflight, an OPTIONS request that is refused here), and
 * there is no cookie or log-in that a browser would add; who can send JSON could fetch a token, too.
 * What either may do is the same: anybody may ask, the list's policy decides. */
#include "webd/pages_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "webd/token.h"

#define FCRDNS_DECIDES_MS 8000
#define NOTE_MAX 500

struct wish {
	char list[128], subject[SUBJECT_TEXT_MAX], address[64], token[128];
	char note[NOTE_MAX * 4 + 1]; /* characters in the form; bytes here */
	char lang[16];
};

static const struct wish_field {
	const char *name;
	size_t offset, size;
} wish_fields[] = {
	{"list", offsetof(struct wish, list), sizeof((struct wish *)0)->list},
	{"subject", offsetof(struct wish, subject), sizeof((struct wish *)0)->subject},
	{"address", offsetof(struct wish, address), sizeof((struct wish *)0)->address},
	{"token", offsetof(struct wish, token), sizeof((struct wish *)0)->token},
	{"note", offsetof(struct wish, note), sizeof((struct wish *)0)->note},
	{"lang", offsetof(struct wish, lang), sizeof((struct wish *)0)->lang},
};

static bool wish_from_form(struct slice body, struct wish *w)
{
	struct form form;
	bool ok = form_parse(body, &form, NULL);

	for (size_t i = 0; ok && i < ARRAY_LEN(wish_fields); i++)
		ok = slice_copy(form_value(&form, wish_fields[i].name),
			(char *)w + wish_fields[i].offset, wish_fields[i].size);
	form_done(&form);
	return ok;
}

static bool wish_from_json(struct slice body, struct wish *w)
{
	json_t *object = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(object);

	for (size_t i = 0; ok && i < ARRAY_LEN(wish_fields); i++) {
		json_t *value = json_object_get(object, wish_fields[i].name);

		ok = !value
		     || (json_is_string(value)
			     && slice_copy(
				     slice_of(json_string_value(value), json_string_length(value)),
				     (char *)w + wish_fields[i].offset, wish_fields[i].size));
	}
	json_decref(object);
	return ok;
}

static void answer_removal(
	struct exchange *x, const json_t *reply, const struct fcrdns_result *fcrdns)
{
	json_t *view = view_removal(&x->page.view, &x->removal, reply, fcrdns);
	bool removed = json_is_true(json_object_get(view, "removed"));
	const char *title = removed ? N_("Removed") : N_("Not removed");
	unsigned status = removed ? 200 : reply ? 409 : 503;

	log_event(LOG_NOTE, "web.removal",
		"list=%s subject=%s client=%s removed=%s reason=%s dns=%s", x->removal.list->name,
		x->removal.subject.text, ip_text(&x->request.client).s, removed ? "yes" : "no",
		removed ? "-" : json_string_value(json_object_get(view, "reason")),
		fcrdns ? log_quote(slice_str(fcrdns->why)).s : "-");
	if (status == 503)
		x->answer.retry_after_s = 60;
	x->page.unlisted = true;
	page_answer(&x->page, status, "removal", words(x, title), view, &x->answer);
	exchange_finish(x);
}

static void removal_replied(void *ctx, json_t *reply)
{
	struct exchange *x = ctx;
	const struct fcrdns_result *fcrdns = x->fcrdns_known ? &x->fcrdns_result : NULL;

	if (x->answered) {
		/* The deadline was faster; the page said that it is unknown. */
	} else if (listd_agreed(reply)) {
		answer_removal(x, reply, fcrdns);
	} else {
		answer_listd_away(x);
	}
	exchange_release(x);
}

static void decide(struct exchange *x)
{
	json_t *message = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type", "removal", "list",
		x->removal.list->name, "subject", x->removal.subject.text, "requester",
		ip_text(&x->request.client).s, "note", x->note ? x->note : "", "language",
		x->page.view.language->tag);

	if (x->fcrdns_known && x->fcrdns_result.status == FCRDNS_OK)
		json_object_set_new(
			message, "fcrdns", json_string(domain_text(&x->fcrdns_result.name).s));
	ask_listd(x, message, removal_replied);
}

static void removal_resolved(void *ctx, const struct fcrdns_result *result)
{
	struct exchange *x = ctx;

	x->fcrdns = NULL;
	x->fcrdns_known = true;
	x->fcrdns_result = *result;
	/* Nobody's fault and soon over: no request that counts. */
	if (result->status == FCRDNS_UNKNOWN)
		answer_removal(x, NULL, result);
	else
		decide(x);
}

/* The address whose DNS speaks for the subject: the subject itself, or the one looked up when it lies
 * in its IPv6 network. Nobody's speaks for more. */
static void find_speaker(struct exchange *x, const struct wish *w)
{
	const struct prefix *p = &x->removal.subject.prefix;
	struct ip ip;

	if (x->removal.subject.kind != SUBJECT_PREFIX)
		return;
	if (p->len == ip_bits(p->ip.family))
		x->removal.address = p->ip;
	else if (p->ip.family == 6 && p->len >= x->removal.list->ip6_prefix
		 && ip_parse(slice_str(w->address), &ip) && prefix_contains(p, &ip))
		x->removal.address = ip;
}

static void bad_wish(struct exchange *x, const char *message)
{
	answer_error(x, 400, N_("Not understood"), words(x, message));
}

static bool form_is_ours(struct exchange *x, const struct wish *w)
{
	enum token_verdict verdict = token_check(x->webd->site.token_key, slice_str(w->token),
		slice_str(w->list), slice_str(w->subject), x->page.view.now_ms);

	if (verdict == TOKEN_GOOD && request_is_ours(&x->request, x->webd->base_url))
		return true;
	answer_error(x, 403, N_("Not removed"),
		words(x, verdict == TOKEN_OLD ? N_("This form is too old. Please look the address "
						   "up again and ask from there.")
					      : N_("This request does not come from a form of this "
						   "portal, or from one "
						   "before its last restart. Please look the "
						   "address up again and ask "
						   "from there.")));
	return false;
}

void serve_removal(struct exchange *x)
{
	bool from_json = request_has_type(&x->request, "application/json");
	struct wish w = {0};

	if (!from_json && !request_has_type(&x->request, "application/x-www-form-urlencoded")) {
		answer_error(x, 415, N_("Not understood"),
			words(x, N_("A removal is asked for with the form, or as "
				    "application/json.")));
		return;
	}
	x->request.json = x->request.json || from_json;
	if (!(from_json ? wish_from_json(x->request.body, &w)
			: wish_from_form(x->request.body, &w))) {
		bad_wish(x, N_("The request is damaged, or a field of it is too long."));
		return;
	}
	if (w.lang[0])
		page_init(
			&x->page, &x->webd->site, &x->request, slice_str(w.lang), clock_unix_ms());
	x->removal.list = config_find_list(x->webd->config, slice_str(w.list));
	if (!x->removal.list) {
		bad_wish(x, N_("There is no list of this name."));
		return;
	}
	if (!subject_parse(slice_str(w.subject), &x->removal.subject, NULL)) {
		bad_wish(x, N_("This is neither an IP address, nor a network, nor a domain."));
		return;
	}
	find_speaker(x, &w);
	x->asked = mem_str(x->removal.address.family ? ip_text(&x->removal.address).s
						     : x->removal.subject.text);
	x->page.asked = x->page.back = x->asked;
	if ((!from_json && !form_is_ours(x, &w)) || !within_limit(x, x->webd->removals))
		return;
	x->note = mem_str(w.note);
	if (x->removal.list->leave == LEAVE_REQUEST && x->removal.list->leave_fcrdns
		&& x->removal.address.family)
		x->fcrdns = fcrdns_start(x->webd->upstream, &x->removal.address, FCRDNS_DECIDES_MS,
			removal_resolved, x);
	else
		decide(x);
}
