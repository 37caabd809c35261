/* links.c - links from HTML and text, each host once. */
#include "mail/links.h"

#include "mail/charset.h"
#include "mail/html.h"

#define SLOTS 2048    /* a power of 2, well above LINKS_MAX_HOSTS */
#define URL_LOOK 8192 /* bytes of a URL looked at */

bool links_init(struct links *l, struct arena *a, const psl_ctx_t *psl)
{
	*l = (struct links){.arena = a, .psl = psl ? psl : psl_builtin()};
	l->hosts = arena_alloc(a, LINKS_MAX_HOSTS * sizeof *l->hosts);
	l->domains = arena_alloc(a, LINKS_MAX_HOSTS * sizeof *l->domains);
	l->ips = arena_alloc(a, LINKS_MAX_HOSTS * sizeof *l->ips);
	l->host_slots = arena_alloc(a, SLOTS * sizeof *l->host_slots);
	l->domain_slots = arena_alloc(a, SLOTS * sizeof *l->domain_slots);
	return !arena_failed(a);
}

/* The slot of that name: where it is, or where it would go. FNV-1a; whoever makes it collide gains a
 * search over at most LINKS_MAX_HOSTS names. */
static uint16_t *slot_of(const struct link_host *list, uint16_t *slots, const struct domain *name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name->len; i++)
		h = (h ^ name->wire[i]) * 16777619u;
	for (;; h++) {
		uint16_t *slot = &slots[h & (SLOTS - 1)];

		if (*slot == 0 || domain_eq(&list[*slot - 1].name, name))
			return slot;
	}
}

/* Index of the name in the list, added when it is new; -1 when the list is full. */
static int note(struct links *l, struct link_host *list, size_t *count, uint16_t *slots,
	const struct domain *name, unsigned kinds)
{
	uint16_t *slot = slot_of(list, slots, name);

	if (*slot == 0) {
		if (*count == LINKS_MAX_HOSTS) {
			l->cut = true;
			return -1;
		}
		list[*count] = (struct link_host){.name = *name, .domain = -1};
		*slot = (uint16_t)++ * count;
	}
	list[*slot - 1].kinds |= kinds;
	return *slot - 1;
}

static void note_ip(struct links *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->ip_count; i++)
		if (ip_eq(&l->ips[i], ip))
			return;
	if (l->ip_count == LINKS_MAX_HOSTS)
		l->cut = true;
	else
		l->ips[l->ip_count++] = *ip;
}

static void note_host(struct links *l, const struct domain *name, unsigned kinds)
{
	size_t before = l->host_count;
	int host = note(l, l->hosts, &l->host_count, l->host_slots, name, kinds);
	struct domain registrable;

	if (host < 0)
		return;
	if (l->host_count > before && domain_registrable(l->psl, name, &registrable))
		l->hosts[host].domain =
			note(l, l->domains, &l->domain_count, l->domain_slots, &registrable, kinds);
	if (l->hosts[host].domain >= 0)
		l->domains[l->hosts[host].domain].kinds |= kinds;
}

void links_add_url(struct links *l, struct slice url, enum link_kind kind)
{
	struct domain name;
	struct ip ip;

	if (l->urls == LINKS_MAX_URLS) {
		l->cut = true;
		return;
	}
	l->urls++;
	if (!url_host(url, &name, &ip))
		return;
	if (name.len)
		note_host(l, &name, kind);
	else
		note_ip(l, &ip);
}

/* ---- text ---- */

/* Where a URL in running text ends. A '[' may only open an IPv6 address. */
static size_t text_url_len(struct slice s, size_t host_at)
{
	bool literal = host_at < s.len && s.ptr[host_at] == '[';
	size_t n = host_at;

	for (; n < s.len && n < URL_LOOK; n++) {
		char c = s.ptr[n];

		if ((unsigned char)c <= ' ' || strchr("<>\"'(){}|,;`*", c))
			break;
		if ((c == '[' || c == ']') && !literal)
			break;
	}
	return n;
}

static void add_www(struct links *l, struct slice s)
{
	_cleanup_buf_ struct buf url = BUF_INIT(URL_LOOK);
	struct domain name, top;
	struct ip ip;

	buf_add_str(&url, "http://");
	buf_add_slice(&url, slice_take(s, text_url_len(slice_take(s, 300), 0)));
	if (!url_host(buf_slice(&url), &name, &ip) || name.labels < 3)
		return;
	top = domain_parent(&name, name.labels - 1u);
	if (psl_is_public_suffix2(
		    l->psl, domain_text(&top).s, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
		links_add_url(l, buf_slice(&url), LINK_TEXT);
}

static bool is_word(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '_'
	       || c == '@' || c == '/';
}

void links_add_text(struct links *l, struct slice text)
{
	static const struct slice schemes[] = {{"https://", 8}, {"http://", 7}, {"ftp://", 6}};
	size_t at = 0;

	while (at < text.len && !l->cut) {
		struct slice s = slice_skip(text, at);
		size_t taken = 1;

		if (s.ptr[0] == 'h' || s.ptr[0] == 'H' || s.ptr[0] == 'f' || s.ptr[0] == 'F') {
			for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
				if (slice_starts_nocase(s, schemes[i])) {
					taken = text_url_len(s, schemes[i].len);
					links_add_url(l, slice_take(s, taken), LINK_TEXT);
					break;
				}
		} else if ((s.ptr[0] == 'w' || s.ptr[0] == 'W')
			   && slice_starts_nocase(s, SLICE("www."))
			   && (at == 0 || !is_word(text.ptr[at - 1]))) {
			add_www(l, s);
			taken = 4;
		}
		at += taken;
	}
}

/* ---- HTML ---- */

/* All url(...) of a style sheet. */
static void add_css(struct links *l, struct slice css)
{
	while (css.len && !l->cut) {
		size_t n = slice_find(css, '('), end;
		struct slice url;

		if (n == css.len)
			return;
		if (n < 3 || !slice_eq_nocase(slice_of(css.ptr + n - 3, 3), SLICE("url"))) {
			css = slice_skip(css, n + 1);
			continue;
		}
		css = slice_skip(css, n + 1);
		end = slice_find(slice_take(css, URL_LOOK), ')');
		url = slice_trim(slice_take(css, end));
		if (url.len >= 2 && (url.ptr[0] == '"' || url.ptr[0] == '\''))
			url = slice_take(
				slice_skip(url, 1), slice_find(slice_skip(url, 1), url.ptr[0]));
		links_add_url(l, url, LINK_LOAD);
		css = slice_skip(css, end);
	}
}

/* "url 2x, url 3x" */
static void add_srcset(struct links *l, struct slice s)
{
	while (s.len && !l->cut) {
		size_t n = 0;

		while (s.len && (ascii_is_space(s.ptr[0]) || s.ptr[0] == ','))
			s = slice_skip(s, 1);
		while (n < s.len && !ascii_is_space(s.ptr[n]))
			n++;
		if (n)
			links_add_url(l, slice_take(s, n), LINK_LOAD);
		s = slice_skip(s, n);
		s = slice_skip(s, slice_find(s, ',')); /* the descriptor */
	}
}

/* "5; url='http://...'" */
static void add_refresh(struct links *l, struct slice s)
{
	size_t at = slice_find_nocase(s, SLICE("url"));
	struct slice url = slice_trim(slice_skip(s, at + 3));

	if (at == s.len || url.len == 0 || url.ptr[0] != '=')
		return;
	url = slice_trim(slice_skip(url, 1));
	if (url.len && (url.ptr[0] == '"' || url.ptr[0] == '\''))
		url = slice_take(slice_skip(url, 1), slice_find(slice_skip(url, 1), url.ptr[0]));
	links_add_url(l, url, LINK_CLICK);
}

static const struct link_attribute {
	const char *name;
	enum link_kind kind;
} link_attributes[] = {
	{"href", LINK_CLICK},
	{"action", LINK_CLICK},
	{"formaction", LINK_CLICK},
	{"xlink:href", LINK_CLICK},
	{"ping", LINK_CLICK},
	{"src", LINK_LOAD},
	{"background", LINK_LOAD},
	{"poster", LINK_LOAD},
	{"data", LINK_LOAD},
	{"lowsrc", LINK_LOAD},
	{"dynsrc", LINK_LOAD},
	{"codebase", LINK_LOAD},
	{"longdesc", LINK_CLICK},
};

static void add_attribute(struct links *l, struct slice name, struct slice value)
{
	for (size_t i = 0; i < ARRAY_LEN(link_attributes); i++)
		if (slice_eq_nocase(name, slice_str(link_attributes[i].name))) {
			links_add_url(l, value, link_attributes[i].kind);
			return;
		}
	if (slice_eq_nocase(name, SLICE("srcset")) || slice_eq_nocase(name, SLICE("imagesrcset")))
		add_srcset(l, value);
	else if (slice_eq_nocase(name, SLICE("style")))
		add_css(l, value);
}

static void add_tag(struct links *l, const struct html_token *t, struct buf *value)
{
	bool is_meta = slice_eq_nocase(t->name, SLICE("meta"));

	if (is_meta && !slice_eq_nocase(html_attribute(t, "http-equiv"), SLICE("refresh")))
		return;
	for (unsigned i = 0; i < t->attribute_count && !l->cut; i++) {
		const struct html_attribute *a = &t->attributes[i];

		if (a->value.len == 0)
			continue;
		buf_reset(value);
		html_unescape(a->value, value);
		if (is_meta && slice_eq_nocase(a->name, SLICE("content")))
			add_refresh(l, buf_slice(value));
		else
			add_attribute(l, a->name, buf_slice(value));
	}
}

void links_add_html(struct links *l, struct slice html)
{
	_cleanup_buf_ struct buf value =
		BUF_INIT(html.len * 3 + 16); /* a byte reference can become 3 */
	struct html_iter it = html_iter_of(html);
	struct html_token t;

	while (!l->cut && html_next(&it, &t)) {
		if (t.kind == HTML_TAG) {
			add_tag(l, &t, &value);
		} else if (t.kind == HTML_TEXT && t.raw_text) {
			add_css(l, t.text);
		} else if (t.kind == HTML_TEXT) {
			buf_reset(&value);
			html_unescape(t.text, &value);
			links_add_text(l, buf_slice(&value));
		}
	}
}

/* ---- mails ---- */

static bool holds_html(const struct mime_part *p)
{
	_cleanup_buf_ struct buf name = BUF_INIT(1024);
	struct slice n;

	if (mime_is(p, "text/html") || mime_is(p, "application/xhtml+xml")
		|| mime_is(p, "multipart/"))
		return true; /* a multipart that is a leaf has lost its boundary */
	if (mime_is(p, "text/") || !mime_file_name(p, &name))
		return false;
	n = slice_trim(buf_slice(&name));
	return slice_ends_nocase(n, SLICE(".html")) || slice_ends_nocase(n, SLICE(".htm"))
	       || slice_ends_nocase(n, SLICE(".xhtml")) || slice_ends_nocase(n, SLICE(".shtml"));
}

void links_add_mail(struct links *l, const struct mime_tree *tree)
{
	_cleanup_buf_ struct buf text = BUF_INIT(MIME_MAX_DECODED);

	for (size_t i = 0; i < tree->count && !l->cut; i++) {
		const struct mime_part *p = &tree->parts[i];

		if (!p->is_leaf)
			continue;
		buf_reset(&text);
		if (holds_html(p)) {
			mime_text(p, &text);
			links_add_html(l, buf_slice(&text));
		} else if (mime_is(p, "text/")) {
			mime_text(p, &text);
			links_add_text(l, buf_slice(&text));
		}
	}
}
