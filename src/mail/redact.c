/* redact.c - evidence that may be shown. */
#include "mail/redact.h"

#include "base/mem.h"
#include "mail/charset.h"
#include "mail/html.h"
#include "mail/links.h"
#include "mail/received.h"

#define DRAFT_MAX ((size_t)24 * 1024) /* before the secrets are taken out */
#define PART_MAX ((size_t)4096)	      /* of one part's text */
#define PARTS_SHOWN 4
#define RECEIVED_SHOWN 8
#define LINKS_SHOWN 30
#define FORMS_MAX 20 /* of one secret */
#define TOKEN_MIN 24 /* a run this long of letters and digits names someone: it is not shown */

struct pattern {
	struct slice text;
	bool case_matters, whole_word;
	int next; /* with the same first byte; -1: none */
};

struct secrets {
	struct arena *arena;
	struct pattern *patterns;
	size_t count, max;
	int first[256]; /* by first byte, lower-cased */
};

static void pattern_add(struct secrets *s, struct slice text, bool case_matters, bool whole_word)
{
	struct pattern *p;
	uint8_t first;

	if (text.len == 0 || s->count == s->max)
		return;
	p = &s->patterns[s->count];
	*p = (struct pattern){arena_copy(s->arena, text), case_matters, whole_word, -1};
	if (p->text.len == 0)
		return;
	first = (uint8_t)ascii_lower(text.ptr[0]);
	p->next = s->first[first];
	s->first[first] = (int)s->count++;
}

static void add_hex(struct secrets *s, struct slice text, const char *before_each)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	for (size_t i = 0; i < text.len; i++)
		buf_addf(&b, "%s%02x", before_each, (unsigned char)text.ptr[i]);
	pattern_add(s, buf_slice(&b), false, false);
}

static char base64_digit(uint32_t v)
{
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[v & 63];
}

/* The digits that are the same whatever stands around the text, for each place in a group of three. */
static void add_base64(struct secrets *s, struct slice text)
{
	for (size_t shift = 0; shift < 3; shift++) {
		_cleanup_buf_ struct buf b = BUF_INIT(4096);
		size_t first_bit = (6 - shift * 8 % 6) % 6;

		for (size_t bit = first_bit; bit + 6 <= text.len * 8; bit += 6) {
			uint32_t high = (uint8_t)text.ptr[bit / 8];
			uint32_t low = bit / 8 + 1 < text.len ? (uint8_t)text.ptr[bit / 8 + 1] : 0;

			buf_add_char(&b, base64_digit((high << 8 | low) >> (10 - bit % 8)));
		}
		if (b.len >= 6)
			pattern_add(s, buf_slice(&b), true, false);
	}
}

static char rot13(char c)
{
	char l = ascii_lower(c);

	if (!ascii_is_alpha(c))
		return c;
	return (char)(l < 'n' ? c + 13 : c - 13);
}

static void add_secret(struct secrets *s, struct slice secret)
{
	struct slice local = address_local(secret), domain = address_domain(secret);
	_cleanup_buf_ struct buf turned = BUF_INIT(4096), rotated = BUF_INIT(4096);

	pattern_add(s, secret, false, false);
	if (domain.len == 0) /* a host name */
		return;
	pattern_add(s, domain, false, false);
	if (local.len >= 3)
		pattern_add(s, local, false, local.len < 6);
	add_hex(s, secret, "");
	add_hex(s, secret, "%");
	add_base64(s, secret);
	if (local.len >= 6) {
		add_hex(s, local, "");
		add_base64(s, local);
	}
	for (size_t i = 0; i < secret.len; i++) {
		buf_add_char(&turned, secret.ptr[secret.len - 1 - i]);
		buf_add_char(&rotated, rot13(secret.ptr[i]));
	}
	pattern_add(s, buf_slice(&turned), false, false);
	pattern_add(s, buf_slice(&rotated), false, false);
}

static bool is_word(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Length of the longest pattern that matches at text[at]; 0 when none does. */
static size_t secret_at(const struct secrets *s, struct slice text, size_t at)
{
	struct slice here = slice_skip(text, at);
	size_t best = 0;

	for (int i = s->first[(uint8_t)ascii_lower(here.ptr[0])]; i >= 0; i = s->patterns[i].next) {
		const struct pattern *p = &s->patterns[i];
		size_t n = p->text.len;

		if (n <= best
			|| !(p->case_matters ? slice_starts(here, p->text)
					     : slice_starts_nocase(here, p->text)))
			continue;
		if (p->whole_word
			&& ((at && is_word(text.ptr[at - 1]))
				|| (n < here.len && is_word(here.ptr[n]))))
			continue;
		best = n;
	}
	return best;
}

static bool is_token_char(char c)
{
	return is_word(c) || c == '+' || c == '/' || c == '=' || c == '_';
}

/* Length of the run of token characters when it is long and holds digits and letters; else 0. Must be
 * asked only at the start of a run. */
static size_t token_at(struct slice s, size_t *ret_run)
{
	bool digit = false, alpha = false;
	size_t n = 0;

	for (; n < s.len && is_token_char(s.ptr[n]); n++) {
		digit = digit || ascii_is_digit(s.ptr[n]);
		alpha = alpha || ascii_is_alpha(s.ptr[n]);
	}
	*ret_run = n;
	return n >= TOKEN_MIN && digit && alpha ? n : 0;
}

/* Draft to out: secrets and long tokens replaced. */
static void take_secrets_out(const struct secrets *s, struct slice text, struct buf *out)
{
	size_t at = 0, n, run_end = 0;

	while (at < text.len && !out->failed) {
		if ((n = secret_at(s, text, at))) {
			buf_add_str(out, "[removed]");
			at += n;
			continue;
		}
		if (at >= run_end) {
			n = token_at(slice_skip(text, at), &run_end);
			run_end += at + (run_end == 0);
			if (n) {
				buf_add_str(out, "[token]");
				at += n;
				continue;
			}
		}
		buf_add_char(out, text.ptr[at++]);
	}
}

static bool is_local_char(char c)
{
	return is_word(c) || (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~.\"", c));
}

/* Appends text from outside: paths of links dropped, local parts of addresses hidden. */
static void add_masked(struct slice text, size_t max, struct buf *out)
{
	size_t at = 0, start = out->len;

	while (at < text.len && out->len - start < max && !out->failed) {
		struct slice here = slice_skip(text, at);
		size_t scheme = slice_starts_nocase(here, SLICE("http://"))    ? 7
				: slice_starts_nocase(here, SLICE("https://")) ? 8
									       : 0;

		if (scheme) {
			size_t n = scheme, host = n;

			for (; n < here.len && (unsigned char)here.ptr[n] > ' '
				&& !strchr("/?#<>\"'\\", here.ptr[n]);
				n++)
				if (here.ptr[n] == '@')
					host = n + 1;
			buf_add(out, here.ptr, scheme);
			buf_add(out, here.ptr + host, n - host);
			host = n;
			while (n < here.len && (unsigned char)here.ptr[n] > ' '
				&& !strchr("<>\"'", here.ptr[n]))
				n++;
			if (n > host + 1)
				buf_add_str(out, "/...");
			at += n;
			continue;
		}
		if (here.ptr[0] == '@') {
			while (out->len > start && is_local_char(out->ptr[out->len - 1]))
				out->len--;
			buf_add_str(out, "...");
		}
		buf_add_char(out, here.ptr[0]);
		at++;
	}
	if (at < text.len)
		buf_add_str(out, " [...]");
}

static void add_received(struct slice value, struct buf *out)
{
	struct received r;
	_cleanup_buf_ struct buf line = BUF_INIT(2048);

	if (!received_parse(value, &r) || !r.has_from)
		return;
	buf_addf(&line, "from %.*s (%.*s [%s]) by %.*s", (int)MIN(r.helo.len, 255), r.helo.ptr,
		(int)MIN(r.rdns.len, 255), r.rdns.len ? r.rdns.ptr : "",
		r.ip.family ? ip_text(&r.ip).s : "", (int)MIN(r.by.len, 255), r.by.ptr);
	buf_add_str(out, "Received: ");
	charset_to_utf8(SLICE_EMPTY, buf_slice(&line), out);
	buf_add_char(out, '\n');
}

enum header_show { SHOW_TEXT, SHOW_MASKED, SHOW_DOMAIN };

static const struct shown_header {
	const char *name;
	enum header_show show;
} shown_headers[] = {
	{"From", SHOW_TEXT},
	{"Sender", SHOW_TEXT},
	{"Reply-To", SHOW_TEXT},
	{"Return-Path", SHOW_MASKED},
	{"To", SHOW_MASKED},
	{"Cc", SHOW_MASKED},
	{"Subject", SHOW_TEXT},
	{"Date", SHOW_TEXT},
	{"Message-ID", SHOW_DOMAIN},
	{"List-Id", SHOW_MASKED},
	{"Organization", SHOW_TEXT},
	{"X-Mailer", SHOW_TEXT},
	{"User-Agent", SHOW_TEXT},
	{"Content-Type", SHOW_DOMAIN},
};

static void add_header(const struct header *h, struct buf *out)
{
	const struct shown_header *show = NULL;
	_cleanup_buf_ struct buf value = BUF_INIT(HEADER_MAX_VALUE);
	struct slice rest, address;

	for (size_t i = 0; i < ARRAY_LEN(shown_headers); i++)
		if (slice_eq_nocase(h->name, slice_str(shown_headers[i].name)))
			show = &shown_headers[i];
	if (!show)
		return;
	if (slice_eq_nocase(h->name,
		    SLICE("Content-Type"))) { /* without the boundary: it may name someone */
		charset_to_utf8(SLICE_EMPTY, slice_take(header_main(h->value), 80), &value);
	} else if (show->show == SHOW_DOMAIN) {
		rest = h->value;
		if (!address_next(&rest, &address))
			return;
		buf_add_str(&value, "...@");
		charset_to_utf8(SLICE_EMPTY, slice_take(address_domain(address), 255), &value);
	} else {
		header_decode(h->value, &value);
	}
	buf_addf(out, "%s: ", show->name);
	if (show->show == SHOW_MASKED)
		add_masked(buf_slice(&value), 500, out);
	else
		charset_to_utf8(SLICE_EMPTY, slice_take(buf_slice(&value), 500), out);
	buf_add_char(out, '\n');
}

/* Secrets are taken out here before masking cuts them up, and once more from the whole sample. */
static void add_parts(const struct mime_tree *tree, const struct secrets *secrets, struct buf *out)
{
	_cleanup_buf_ struct buf clean = BUF_INIT(PART_MAX * 4);
	_cleanup_buf_ struct buf text = BUF_INIT((size_t)256 * 1024);
	_cleanup_buf_ struct buf plain = BUF_INIT((size_t)64 * 1024);
	unsigned shown = 0;

	for (size_t i = 0; i < tree->count && i < 50; i++) {
		const struct mime_part *p = &tree->parts[i];

		if (!p->is_leaf)
			continue;
		buf_add_str(out, "\n[");
		charset_to_utf8(SLICE_EMPTY, slice_str(p->type), out);
		buf_addf(out, ", %zu bytes]\n", p->body.len);
		if (!mime_is(p, "text/") || shown++ >= PARTS_SHOWN)
			continue;
		buf_reset(&text);
		buf_reset(&plain);
		mime_text(p, &text);
		if (mime_is(p, "text/html"))
			html_to_text(buf_slice(&text), &plain);
		else
			charset_to_utf8(
				SLICE_EMPTY, slice_take(buf_slice(&text), plain.limit / 3), &plain);
		for (size_t k = 0; k < plain.len; k++) /* terminals and pages get no controls */
			if (((unsigned char)plain.ptr[k] < ' ' && plain.ptr[k] != '\n')
				|| plain.ptr[k] == 0x7f)
				plain.ptr[k] = ' ';
		buf_reset(&clean);
		take_secrets_out(secrets, slice_take(buf_slice(&plain), PART_MAX * 2), &clean);
		add_masked(buf_slice(&clean), PART_MAX, out);
	}
}

static void add_links(const struct mime_tree *tree, struct arena *a, struct buf *out)
{
	struct links l;

	if (!links_init(&l, a, NULL))
		return;
	links_add_mail(&l, tree);
	for (size_t i = 0; i < l.host_count && i < LINKS_SHOWN; i++)
		buf_addf(
			out, "%s%s", i ? ", " : "\n\n[links to] ", domain_text(&l.hosts[i].name).s);
	for (size_t i = 0; i < l.ip_count && i < LINKS_SHOWN; i++)
		buf_addf(out, "%s%s", i ? ", " : "\n\n[links to addresses] ", ip_text(&l.ips[i]).s);
}

static bool secrets_read(
	struct secrets *s, struct arena *a, const struct slice *secrets, size_t count)
{
	*s = (struct secrets){.arena = a, .max = count * FORMS_MAX};
	if (count > REDACT_MAX_SECRETS)
		return false;
	memset(s->first, 0xff, sizeof s->first);
	s->patterns = arena_alloc(a, (s->max + 1) * sizeof *s->patterns);
	for (size_t i = 0; i < count && !arena_failed(a); i++)
		if (secrets[i].len && secrets[i].len <= 320)
			add_secret(s, secrets[i]);
	return !arena_failed(a);
}

bool redact_sample(const struct mime_tree *tree, const struct slice *secrets, size_t secret_count,
	struct buf *out)
{
	_cleanup_buf_ struct buf draft = BUF_INIT(DRAFT_MAX);
	_cleanup_buf_ struct buf sample = BUF_INIT(REDACT_SAMPLE_MAX);
	struct arena *a = arena_new((size_t)8 * 1024 * 1024);
	struct secrets s;
	struct header h;
	unsigned received = 0;
	bool ok = secrets_read(&s, a, secrets, secret_count);

	if (ok && tree->count) {
		struct header_iter it = header_iter_of(tree->parts[0].head);

		while (header_next(&it, &h) && draft.len < DRAFT_MAX / 2) {
			if (!slice_eq_nocase(h.name, SLICE("Received")))
				add_header(&h, &draft);
			else if (received++ < RECEIVED_SHOWN)
				add_received(h.value, &draft);
		}
		add_parts(tree, &s, &draft);
		add_links(tree, a, &draft);
		take_secrets_out(&s, buf_slice(&draft), &sample);
		charset_to_utf8(SLICE("utf-8"), buf_slice(&sample),
			out); /* cuts may have split characters */
	}
	arena_free(a);
	return ok;
}

bool redact_line(
	struct slice text, const struct slice *secrets, size_t secret_count, struct buf *out)
{
	_cleanup_buf_ struct buf decoded = BUF_INIT(HEADER_MAX_VALUE), masked = BUF_INIT(2048),
				 clean = BUF_INIT(4096);
	struct arena *a = arena_new((size_t)8 * 1024 * 1024);
	struct secrets s;
	bool ok = secrets_read(&s, a, secrets, secret_count);

	if (ok) {
		header_decode(text, &decoded);
		add_masked(buf_slice(&decoded), 998, &masked);
		take_secrets_out(&s, buf_slice(&masked), &clean);
		charset_to_utf8(SLICE("utf-8"), buf_slice(&clean), out);
	}
	arena_free(a);
	return ok;
}
