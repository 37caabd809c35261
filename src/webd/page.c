/* page.c - renders views. */
#include "webd/page.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "io/random.h"
#include "webd/asset.h"
#include "webd/negotiate.h"
#include "webd/token.h"

static const struct {
	const char *tag, *name;
} languages[LANGUAGES] = {{"en", "English"}, {"ja", "日本語"}};

struct slice site_file(const char *name)
{
	for (const struct asset *a = assets; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a->bytes;
	return slice_of(NULL, 0);
}

static bool language_open(struct language *l, size_t i, struct err *err)
{
	char file[16];
	struct slice mo;

	l->tag = languages[i].tag;
	l->name = languages[i].name;
	snprintf(file, sizeof file, "%s.mo", l->tag);
	mo = site_file(file);
	if (mo.ptr) {
		l->mo = mo_new(mo, err);
		if (!l->mo)
			return err_prefix(err, "%s: ", file);
	}
	l->templates = template_set_new(l->mo);
	for (const struct asset *a = assets; a->name; a++) {
		char name[TEMPLATE_NAME_MAX];

		if (!slice_ends_nocase(slice_str(a->name), SLICE(".html")))
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(strlen(a->name) - 5), a->name);
		if (!template_set_add(l->templates, name, a->bytes, err))
			return err_prefix(err, "%s: web/", l->tag);
	}
	return template_set_link(l->templates, err) || err_prefix(err, "%s: web/", l->tag);
}

bool site_open(struct site *site, const struct config *config, struct err *err)
{
	static const uint8_t fixed[16] = {0};
	const char *operator= config->webd.operator_name;

	*site = (struct site){.config = config};
	site->name = mem_str(operator && operator[0] ? operator : "Sekisho");
	random_bytes(site->token_key, sizeof site->token_key);
	snprintf(site->style, sizeof site->style, "%08x",
		(unsigned)siphash(fixed, site_file("style.css")));
	for (size_t i = 0; i < LANGUAGES; i++)
		if (!language_open(&site->languages[i], i, err))
			return false;
	return true;
}

void site_close(struct site *site)
{
	for (size_t i = 0; i < LANGUAGES; i++) {
		site->languages[i].templates = template_set_free(site->languages[i].templates);
		site->languages[i].mo = mo_free(site->languages[i].mo);
	}
	free(site->name);
}

void page_init(struct page *p, const struct site *site, const struct request *request,
	struct slice lang, int64_t now_ms)
{
	const char *tags[LANGUAGES];
	size_t chosen = LANGUAGES;

	for (size_t i = 0; i < LANGUAGES; i++) {
		tags[i] = site->languages[i].tag;
		if (slice_eq(lang, slice_str(tags[i])))
			chosen = i;
	}
	*p = (struct page){
		.site = site, .request = request, .explicit_language = chosen < LANGUAGES};
	if (chosen == LANGUAGES)
		chosen = negotiate_language(request->accept_language, tags, LANGUAGES);
	p->view = (struct view){.config = site->config,
		.language = &site->languages[chosen],
		.now_ms = now_ms,
		.token_key = site->token_key};
}

/* This address in another language. */
static json_t *language_links(const struct page *p)
{
	json_t *links = json_array();

	for (size_t i = 0; i < LANGUAGES; i++) {
		const struct language *l = &p->site->languages[i];
		_cleanup_buf_ struct buf url = BUF_INIT(4 * REQUEST_TARGET_MAX);
		bool post = p->request->method != METHOD_GET;
		struct slice path = p->request->path, q = form_value(&p->request->query, "q"), word;

		if (post && p->back) {
			path = SLICE("/q");
			q = slice_str(p->back);
		}
		path = slice_skip(path, 1);
		while (path.ptr && slice_cut(&path, '/', &word)) {
			buf_add_char(&url, '/');
			form_encode(word, &url);
		}
		buf_addf(&url, "?lang=%s", l->tag);
		if (q.len) {
			buf_add_str(&url, "&q=");
			form_encode(q, &url);
		}
		json_array_append_new(
			links, json_pack("{s:s,s:s,s:s,s:b}", "tag", l->tag, "name", l->name, "url",
				       url.failed ? "/" : buf_str(&url), "current",
				       (int)(l == p->view.language)));
	}
	return links;
}

static void set_flag(json_t *to, const char *key, bool value)
{
	json_object_set_new(to, key, json_boolean(value));
}

static json_t *page_values(const struct page *p, json_t *title)
{
	const struct config_webd *webd = &p->site->config->webd;
	const char *lang = p->view.language->tag;
	char lang_query[16] = "", lang_amp[16] = "";
	struct ip_text own = ip_text(&p->request->client);
	bool own_known = p->request->client.family != 0;
	_cleanup_buf_ struct buf back = BUF_INIT(4096);
	json_t *values;

	if (p->explicit_language) {
		snprintf(lang_query, sizeof lang_query, "?lang=%s", lang);
		snprintf(lang_amp, sizeof lang_amp, "&lang=%s", lang);
	}
	if (p->back)
		form_encode(slice_str(p->back), &back);
	values = json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "lang", lang,
		"title", title, "site", p->site->name, "style", p->site->style, "lang_query",
		lang_query, "lang_amp", lang_amp, "operator",
		webd->operator_name ? webd->operator_name : "", "contact",
		webd->contact ? webd->contact : "", "asked",
		p->asked    ? p->asked
		: own_known ? own.s
			    : "",
		"address", p->address ? p->address : "", "back", buf_str(&back), "languages",
		language_links(p));
	set_flag(values, "explicit", p->explicit_language);
	set_flag(values, "own", !p->asked && own_known);
	set_flag(values, "unlisted", p->unlisted);
	set_flag(values, "show_form", p->show_form);
	set_flag(values, "at_home", p->at && strcmp(p->at, "home") == 0);
	set_flag(values, "at_lists", p->at && strcmp(p->at, "lists") == 0);
	return values;
}

static bool render_json(const json_t *view, struct buf *body)
{
	json_t *plain = view_json(view);
	char *text = json_dumps(plain, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(plain);
	if (!text)
		return false;
	buf_add_str(body, text);
	buf_add_char(body, '\n');
	free(text);
	return !body->failed;
}

void page_answer(struct page *p, unsigned status, const char *template, json_t *title, json_t *view,
	struct answer *ret)
{
	bool ok;

	ret->status = status;
	ret->body.limit = ANSWER_BODY_MAX;
	if (p->request->json) {
		ret->type = "application/json";
		json_decref(title);
		ok = render_json(view, &ret->body);
	} else {
		ret->type = "text/html; charset=utf-8";
		json_object_set_new(view, "page", page_values(p, title));
		ok = template_render(p->view.language->templates, template, view, &ret->body);
	}
	json_decref(view);
	if (ok)
		return;
	buf_reset(&ret->body);
	ret->status = 500;
	ret->type = "text/plain; charset=utf-8";
	buf_add_str(&ret->body, language_text(p->view.language, N_("This page became too large.")));
	buf_add_char(&ret->body, '\n');
}

void page_error(struct page *p, unsigned status, json_t *title, json_t *message, struct answer *ret)
{
	page_answer(p, status, "message", title,
		json_pack("{s:i,s:o}", "status", (int)status, "error", message), ret);
}
