/* pages.c - which page an address names. Nothing changes by GET. */
#include "webd/pages_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"

#define LISTD_RETRY_S 5
#define PAGE_WAIT_MS 10000 /* for listd and the DNS together */

void exchange_finish(struct exchange *x)
{
	if (x->answered)
		return;
	exchange_stop_waiting(x);
	x->answered = true;
	x->done(x);
}

json_t *words(const struct exchange *x, const char *msgid)
{
	return say(x->page.view.language, msgid, NULL);
}

void answer_error(struct exchange *x, unsigned status, const char *title, json_t *message)
{
	page_error(&x->page, status, words(x, title), message, &x->answer);
	exchange_finish(x);
}

void answer_listd_away(struct exchange *x)
{
	x->answer.retry_after_s = LISTD_RETRY_S;
	answer_error(x, 503, N_("One moment, please"),
		words(x, N_("The part that keeps the lists does not answer right now. The lists "
			    "themselves work on. "
			    "Please try again in a few seconds.")));
}

static void waited_too_long(void *ctx)
{
	answer_listd_away(ctx);
}

bool ask_listd(struct exchange *x, json_t *message, ipc_reply_fn *fn)
{
	if (!x->deadline) {
		x->deadline = loop_timer_new(x->webd->loop, waited_too_long, x);
		loop_timer_set(x->deadline, PAGE_WAIT_MS);
	}
	x->references++;
	if (ipc_client_call(x->webd->listd, message, fn, x))
		return true;
	x->references--;
	answer_listd_away(x);
	return false;
}

bool listd_agreed(const json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (json_is_true(json_object_get(reply, "ok")))
		return true;
	if (reply)
		log_event(LOG_WARN, "web.listd", "error=%s", log_quote(slice_str(error)).s);
	return false;
}

bool within_limit(struct exchange *x, struct limiter *limiter)
{
	int64_t wait_ms;

	if (limiter_take(limiter, &x->request.client, clock_mono_ms(), &wait_ms))
		return true;
	x->answer.retry_after_s = (long)((wait_ms + 999) / 1000);
	answer_error(x, 429, N_("Too many requests"),
		say(x->page.view.language,
			N_("Too many requests came from your address. Please wait {{span}}."),
			"{s:o}", "span",
			say_span_words(x->page.view.language, x->answer.retry_after_s)));
	return false;
}

void pages_refuse(struct exchange *x, unsigned status)
{
	page_init(&x->page, &x->webd->site, &x->request, SLICE_EMPTY, clock_unix_ms());
	if (status == 405)
		answer_error(x, status, N_("Not this way"),
			words(x, N_("This address is to be read, or a removal is to be asked for "
				    "with the form.")));
	else if (status == 411)
		answer_error(x, status, N_("Not understood"),
			words(x, N_("The request must say its length.")));
	else
		answer_error(x, status, N_("Too large"), words(x, N_("The request is too large.")));
}

static void serve_home(struct exchange *x)
{
	x->page.at = "home";
	page_answer(&x->page, 200, "home", words(x, N_("Why was my mail refused?")),
		view_lists(&x->page.view, NULL), &x->answer);
	exchange_finish(x);
}

/* The lists' rules stand in the configuration; only the count of listings is listd's, and can miss. */
static void answer_lists(struct exchange *x, const json_t *status)
{
	const struct config_list *list = x->removal.list;

	x->page.at = "lists";
	if (list)
		page_answer(&x->page, 200, "list",
			json_string(list->title && list->title[0] ? list->title : list->name),
			view_list(&x->page.view, list, status), &x->answer);
	else
		page_answer(&x->page, 200, "lists", words(x, N_("Lists and rules")),
			view_lists(&x->page.view, status), &x->answer);
	exchange_finish(x);
}

static void lists_replied(void *ctx, json_t *reply)
{
	struct exchange *x = ctx;

	if (!x->answered)
		answer_lists(x, listd_agreed(reply) ? reply : NULL);
	exchange_release(x);
}

static void serve_lists(struct exchange *x, struct slice name)
{
	if (name.len) {
		x->removal.list = config_find_list(x->webd->config, name);
		if (!x->removal.list) {
			answer_error(x, 404, N_("Not found"),
				words(x, N_("There is no list of this name.")));
			return;
		}
	}
	if (!ipc_client_ready(x->webd->listd))
		answer_lists(x, NULL);
	else
		ask_listd(x, json_pack("{s:s}", "type", "status"), lists_replied);
}

static void serve_health(struct exchange *x)
{
	bool ready = ipc_client_ready(x->webd->listd);

	x->answer.status = ready ? 200 : 503;
	x->answer.type = "application/json";
	buf_addf(&x->answer.body, "{\"ok\": %s, \"listd\": %s}\n", ready ? "true" : "false",
		ready ? "true" : "false");
	exchange_finish(x);
}

static void serve_text(struct exchange *x, const char *type, long max_age_s, struct slice text)
{
	x->answer.status = 200;
	x->answer.type = type;
	x->answer.max_age_s = max_age_s;
	buf_add_slice(&x->answer.body, text);
	exchange_finish(x);
}

static void not_found(struct exchange *x)
{
	x->page.show_form = true;
	answer_error(x, 404, N_("Not found"), words(x, N_("There is no page at this address.")));
}

/* RFC 9116. A contact is what it is for: none without one. */
static void serve_security(struct exchange *x)
{
	const char *contact = x->webd->config->webd.contact;
	_cleanup_buf_ struct buf text = BUF_INIT(4096);

	if (!contact || !contact[0]) {
		not_found(x);
		return;
	}
	buf_addf(&text,
		"Contact: mailto:%s\nExpires: %s\nPreferred-Languages: en, ja\nCanonical: "
		"%s/.well-known/security.txt\n",
		contact, time_text(clock_unix_ms() + (int64_t)30 * 86400 * 1000).s,
		x->webd->base_url);
	serve_text(x, "text/plain; charset=utf-8", 0, buf_slice(&text));
}

static bool serve_file(struct exchange *x, struct slice path)
{
	if (slice_eq(path, SLICE("/style.css")))
		serve_text(x, "text/css; charset=utf-8", 86400, site_file("style.css"));
	else if (slice_eq(path, SLICE("/favicon.svg")))
		serve_text(x, "image/svg+xml", 86400, site_file("favicon.svg"));
	else if (slice_eq(path, SLICE("/robots.txt")))
		serve_text(x, "text/plain; charset=utf-8", 86400,
			SLICE("User-agent: *\nAllow: /$\nAllow: /lists\nDisallow: /\n"));
	else if (slice_eq(path, SLICE("/.well-known/security.txt")))
		serve_security(x);
	else if (slice_eq(path, SLICE("/healthz")))
		serve_health(x);
	else
		return false;
	return true;
}

static void serve_get(struct exchange *x)
{
	struct slice path = x->request.path;

	if (serve_file(x, path))
		return;
	if (slice_eq(path, SLICE("/")))
		serve_home(x);
	else if (slice_eq(path, SLICE("/q")))
		serve_lookup(x, form_value(&x->request.query, "q"), false);
	else if (slice_eq(path, SLICE("/lists")) || slice_eq(path, SLICE("/lists/")))
		serve_lists(x, SLICE_EMPTY);
	else if (slice_starts(path, SLICE("/lists/")))
		serve_lists(x, slice_skip(path, strlen("/lists/")));
	else if (slice_eq(path, SLICE("/remove")))
		pages_refuse(x, 405);
	else if (slice_eq(path, SLICE("/favicon.ico")))
		not_found(x);
	else
		serve_lookup(x, slice_skip(path, 1), true);
}

void pages_serve(struct exchange *x, struct slice target)
{
	struct err err;
	bool good = request_parse_target(&x->request, target, &err);

	page_init(&x->page, &x->webd->site, &x->request, form_value(&x->request.query, "lang"),
		clock_unix_ms());
	x->answer.body.limit = ANSWER_BODY_MAX;
	if (!good) {
		answer_error(x, 400, N_("Not understood"),
			words(x, N_("The address of this page is damaged: it holds a wrong % sign, "
				    "a character that is not "
				    "UTF-8, or too much.")));
	} else if (x->request.method == METHOD_GET) {
		serve_get(x);
	} else if (x->request.method == METHOD_POST
		   && slice_eq(x->request.path, SLICE("/remove"))) {
		serve_removal(x);
	} else {
		x->answer.allow =
			slice_eq(x->request.path, SLICE("/remove")) ? "POST" : "GET, HEAD";
		pages_refuse(x, 405);
	}
}
