/* page_lookup.c - /q?q=... and /ADDRESS: asks listd, then, where it matters, the DNS. */
#include "webd/pages_private.h"

#include "base/mem.h"

#define FCRDNS_SHOWN_MS 3000 /* a reader waits */

static void answer_lookup(struct exchange *x, const struct fcrdns_result *fcrdns)
{
	x->page.address = x->subject.text;
	x->page.unlisted = true;
	page_answer(&x->page, 200, "lookup", json_string(x->subject.text),
		view_lookup(&x->page.view, &x->subject, x->reply, fcrdns), &x->answer);
	exchange_finish(x);
}

static void lookup_resolved(void *ctx, const struct fcrdns_result *result)
{
	struct exchange *x = ctx;

	x->fcrdns = NULL;
	answer_lookup(x, result);
}

static void lookup_replied(void *ctx, json_t *reply)
{
	struct exchange *x = ctx;
	struct ip ip;

	if (x->answered) {
		/* The deadline was faster. */
	} else if (!listd_agreed(reply)) {
		answer_listd_away(x);
	} else {
		x->reply = json_incref(reply);
		if (lookup_wants_fcrdns(x->webd->config, &x->subject, reply, &ip))
			x->fcrdns = fcrdns_start(
				x->webd->upstream, &ip, FCRDNS_SHOWN_MS, lookup_resolved, x);
		else
			answer_lookup(x, NULL);
	}
	exchange_release(x);
}

void serve_lookup(struct exchange *x, struct slice query, bool as_path)
{
	struct err err;

	x->asked = mem_str_len(query.ptr, query.len);
	x->page.asked = x->asked;
	x->page.show_form = true;
	if (!query_parse(query, &x->subject, &err)) {
		if (as_path)
			answer_error(x, 404, N_("Not found"),
				words(x, N_("There is no page at this address.")));
		else if (!slice_trim(query).len)
			answer_error(x, 400, N_("Not understood"),
				words(x, N_("Please enter an IP address or a domain.")));
		else
			answer_error(x, 400, N_("Not understood"),
				words(x, N_("This is neither an IP address, nor a network, nor a "
					    "domain. Examples: 192.0.2.1, "
					    "2001:db8::25, mail.example.com")));
		return;
	}
	if (within_limit(x, x->webd->lookups))
		ask_listd(x, json_pack("{s:s,s:s}", "type", "lookup", "subject", x->subject.text),
			lookup_replied);
}
