/* refusal.c - reading replies: one line of them, then what stands in it. */
#include "catalogue/refusal.h"

#include "mail/links.h"

#define URL_MAX 2000
#define LINE_SHOWN 600 /* of a reply, for people */

static const char *const verdicts[] = {
	[REFUSAL_LISTED] = "listed",
	[REFUSAL_REPUTATION] = "reputation",
	[REFUSAL_LOCAL] = "local-list",
	[REFUSAL_DEAD_LIST] = "dead-list",
	[REFUSAL_RECEIVER_ERROR] = "receiver-error",
	[REFUSAL_DNS] = "dns",
	[REFUSAL_AUTH] = "authentication",
	[REFUSAL_RATE] = "rate",
	[REFUSAL_CONTENT] = "content",
};

const char *refusal_verdict_name(enum refusal_verdict v)
{
	return verdicts[v];
}

bool refusal_is_about_list(enum refusal_verdict v)
{
	return v < REFUSAL_DNS;
}

static enum refusal_verdict verdict_of(enum signature_kind kind)
{
	switch (kind) {
	case SIGNATURE_IP:
	case SIGNATURE_DOMAIN:
	case SIGNATURE_VENDOR:
		return REFUSAL_LISTED;
	case SIGNATURE_PROVIDER:
		return REFUSAL_REPUTATION;
	case SIGNATURE_LOCAL:
		return REFUSAL_LOCAL;
	case SIGNATURE_DEAD:
		return REFUSAL_DEAD_LIST;
	case SIGNATURE_RECEIVER:
		return REFUSAL_RECEIVER_ERROR;
	case SIGNATURE_DNS:
		return REFUSAL_DNS;
	case SIGNATURE_AUTH:
		return REFUSAL_AUTH;
	case SIGNATURE_RATE:
		return REFUSAL_RATE;
	case SIGNATURE_CONTENT:
		break;
	}
	return REFUSAL_CONTENT;
}

/* ---- one line ---- */

static bool is_code(struct slice s)
{
	return s.len >= 3 && s.ptr[0] >= '2' && s.ptr[0] <= '5' && ascii_is_digit(s.ptr[1])
	       && ascii_is_digit(s.ptr[2]);
}

/* "5.7.1" at the start of s: its length, else 0. */
static size_t status_len(struct slice s)
{
	size_t n = 0, dots = 0;

	while (n < s.len && n < 9 && (ascii_is_digit(s.ptr[n]) || s.ptr[n] == '.'))
		dots += s.ptr[n++] == '.';
	if (n && s.ptr[n - 1] == '.')
		n--, dots--;
	return dots == 2 && n >= 5 && (s.ptr[0] == '2' || s.ptr[0] == '4' || s.ptr[0] == '5')
			       && s.ptr[1] == '.'
		       ? n
		       : 0;
}

/* Blanks and line ends become one blank; the repeated codes of continuation lines ("550-5.7.1 ",
 * "550 5.7.1 " in the middle of a text) go, so that words are found across them. */
static void flatten(struct slice in, struct buf *out)
{
	struct slice code = SLICE_EMPTY;
	size_t at = 0, n;

	in = slice_trim(in);
	while (at < in.len && !out->failed) {
		struct slice here = slice_skip(in, at);
		bool word_start = at == 0 || ascii_is_space(in.ptr[at - 1]);

		if (ascii_is_space(here.ptr[0])) {
			if (out->len && out->ptr[out->len - 1] != ' ')
				buf_add_char(out, ' ');
			at++;
			continue;
		}
		if (word_start && is_code(here) && here.len > 3
			&& (here.ptr[3] == '-' || here.ptr[3] == ' ')) {
			bool again = code.len && slice_eq(slice_take(here, 3), code);

			if (!code.len)
				code = slice_take(here, 3);
			if (!again) {
				buf_add(out, here.ptr, 3);
				buf_add_char(out, ' ');
			}
			at += 4;
			n = status_len(slice_skip(in, at));
			if (n && again)
				at += n;
			continue;
		}
		buf_add_char(out, here.ptr[0]);
		at++;
	}
}

/* ---- what stands in it ---- */

static bool is_ip_char(char c)
{
	return ascii_hex(c) >= 0 || c == '.' || c == ':';
}

/* Postfix and Exim put the other side's address behind its name: "host mx.example[192.0.2.1] said". */
static bool is_other_side(struct slice text, size_t at)
{
	size_t name_end, name_at;
	struct slice before = slice_take(text, at);

	if (slice_ends_nocase(before, SLICE("connected to "))
		|| slice_ends_nocase(before, SLICE(" host ")))
		return true; /* qmail */
	if (at == 0 || text.ptr[at - 1] != '[')
		return false;
	name_end = at - 1;
	while (name_end && text.ptr[name_end - 1] == ' ')
		name_end--;
	name_at = name_end;
	while (name_at && !ascii_is_space(text.ptr[name_at - 1]))
		name_at--;
	return name_at >= 5 && slice_eq_nocase(slice_of(text.ptr + name_at - 5, 5), SLICE("host "))
	       && memchr(text.ptr + name_at, '.', name_end - name_at);
}

static bool is_usable(const struct ip *ip)
{
	return ip->family == 6 ? true : ip->bytes[0] != 127 && ip->bytes[0] != 0;
}

/* The first address that is not the other side's and not a list's answer. */
static bool own_ip(struct slice text, struct ip *ret)
{
	size_t at = 0;

	while (at < text.len) {
		size_t n = 0;
		struct slice word;
		struct ip ip;

		while (at + n < text.len && n < 60 && is_ip_char(text.ptr[at + n]))
			n++;
		word = slice_of(text.ptr + at, n);
		if (n == 0) {
			/* A word is skipped whole: "abc1.2.3.4" is no address. */
			while (at < text.len
				&& (ascii_is_alpha(text.ptr[at]) || ascii_is_digit(text.ptr[at])))
				at++;
			at++;
			continue;
		}
		while (word.len && (word.ptr[word.len - 1] == '.' || word.ptr[word.len - 1] == ':'))
			word.len--;
		if (slice_find(word, '.') < word.len && slice_find(word, ':') < word.len
			&& slice_find(word, '.') < slice_find(word, ':'))
			word = slice_take(word, slice_find(word, ':')); /* "192.0.2.1:25" */
		if (word.len >= 3 && ip_parse(word, &ip) && is_usable(&ip)
			&& !is_other_side(text, at)
			&& (at + n == text.len
				|| (!ascii_is_alpha(text.ptr[at + n]) && text.ptr[at + n] != '-'
					&& text.ptr[at + n] != '_'))) {
			*ret = ip;
			return true;
		}
		at += n;
		while (at < text.len
			&& (ascii_is_alpha(text.ptr[at]) || ascii_is_digit(text.ptr[at])))
			at++;
	}
	return false;
}

/* "4.3.2.1.zen.example" with zone "zen.example" (or below a key): the address that was asked. */
static bool ip_of_query(struct slice query, struct slice zone, struct ip *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64);
	struct slice labels[4], rest = slice_take(query, query.len - zone.len);

	for (int i = 0; i < 4; i++)
		if (!slice_cut(&rest, '.', &labels[i]))
			return false;
	buf_addf(&text, "%.*s.%.*s.%.*s.%.*s", SLICE_FMT(labels[3]), SLICE_FMT(labels[2]),
		SLICE_FMT(labels[1]), SLICE_FMT(labels[0]));
	return ip_parse(buf_slice(&text), ret);
}

/* The domain in "[user@name]" or "[name]", as Postfix puts it, or in "(name)". */
static bool own_domain(struct slice text, struct domain *ret)
{
	for (size_t at = 0; at < text.len; at++) {
		struct slice word;
		size_t n;

		if (text.ptr[at] != '[' && text.ptr[at] != '(')
			continue;
		n = slice_find(
			slice_take(slice_skip(text, at + 1), 300), text.ptr[at] == '[' ? ']' : ')');
		word = slice_of(text.ptr + at + 1, MIN(n, text.len - at - 1));
		if (slice_find(word, '@') < word.len)
			word = address_domain(word);
		if (slice_find(word, ' ') < word.len || slice_find(word, '.') == word.len)
			continue;
		if (domain_parse_idn(word, ret, NULL) && ret->labels >= 2
			&& ascii_is_alpha(word.ptr[word.len - 1]) && !is_other_side(text, at + 1))
			return true;
	}
	ret->len = 0;
	return false;
}

static bool url_next(struct slice *s, struct slice *ret)
{
	size_t at = slice_find_nocase(*s, SLICE("http")), n = 0;
	struct slice here = slice_skip(*s, at);

	while (here.len && !slice_starts_nocase(here, SLICE("http://"))
		&& !slice_starts_nocase(here, SLICE("https://"))) {
		at = slice_find_nocase(slice_skip(here, 1), SLICE("http"));
		here = slice_skip(here, at + 1);
	}
	if (here.len == 0)
		return false;
	while (n < here.len && n < URL_MAX && here.ptr[n] > ' ' && here.ptr[n] < 0x7f
		&& !strchr("<>\"'`\\", here.ptr[n]))
		n++;
	*s = slice_skip(here, n);
	while (n && strchr(".,;:!)]}", here.ptr[n - 1]))
		n--;
	*ret = slice_take(here, n);
	return true;
}

/* The URL to show: one that names the address in question, else the first one. */
static bool best_url(struct slice text, const struct ip *ip, struct slice *ret)
{
	struct ip_text ip_words = {""};
	struct slice url;
	bool any = false;

	if (ip->family)
		ip_words = ip_text(ip);
	while (url_next(&text, &url)) {
		bool names_ip =
			ip->family && slice_find_nocase(url, slice_str(ip_words.s)) < url.len;

		if (!any || names_ip)
			*ret = url;
		any = true;
		if (names_ip)
			break;
	}
	return any;
}

static void read_codes(struct slice line, struct refusal *r)
{
	for (size_t at = 0; at < line.len; at++) {
		struct slice here = slice_skip(line, at);
		bool start = at == 0 || line.ptr[at - 1] == ' ' || line.ptr[at - 1] == '('
			     || line.ptr[at - 1] == '#';

		if (!start)
			continue;
		if (!r->code.len && is_code(here) && here.ptr[0] >= '4'
			&& (here.len == 3 || here.ptr[3] == ' '))
			r->code = slice_take(here, 3);
		if (!r->status.len && status_len(here))
			r->status = slice_take(here, status_len(here));
	}
}

/* ---- lists that the table does not know ---- */

/* The zone behind "blocked using ZONE" and its like, as MTAs word it by default. */
static bool unknown_zone(struct slice line, struct slice *ret_zone)
{
	static const char *const phrases[] = {"blocked using ", "blocked by ", "listed at ",
		"listed in ", "listed on ", "listed by ", "black list at ", "blacklisted by ",
		"blacklisted at ", "blocklisted by ", "found in ", "in rbl "};

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		size_t at = slice_find_nocase(line, slice_str(phrases[i])), n = 0;
		struct slice word = slice_skip(line, at + strlen(phrases[i]));
		struct domain zone;

		while (n < word.len
			&& (ascii_is_alpha(word.ptr[n]) || ascii_is_digit(word.ptr[n])
				|| strchr("-_.", word.ptr[n])))
			n++;
		while (n && word.ptr[n - 1] == '.')
			n--;
		if (at < line.len && (n == word.len || !strchr("@:/", word.ptr[n]))
			&& domain_parse(slice_take(word, n), &zone, NULL) && zone.labels >= 2
			&& ascii_is_alpha(word.ptr[n - 1])) {
			*ret_zone = slice_take(word, n);
			return true;
		}
	}
	return false;
}

/* ---- all of it ---- */

/* The zone as the reply has it, without the labels of an address in front; of a keyed zone only the
 * table's part. */
static struct slice zone_of_hit(const struct signature_hit *hit)
{
	struct slice name = hit->query, rest, label;
	uint64_t v;

	if (hit->keyed || hit->zone.len == 0)
		return hit->zone;
	for (rest = name; name.len > hit->zone.len && slice_cut(&rest, '.', &label);) {
		if (!slice_u64(label, 255, &v) && !(label.len == 1 && ascii_hex(label.ptr[0]) >= 0))
			break;
		name = rest;
	}
	return name;
}

struct reading {
	const struct signatures *signatures;
	struct arena *arena;
	struct refusals *out;
};

static struct slice masked_copy(struct reading *rd, struct slice text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGNATURES_MAX_TEXT * 2);

	signatures_mask(rd->signatures, text, &b);
	return arena_copy(rd->arena, buf_slice(&b));
}

/* The part of a long text around what matched, for people. */
static struct slice around(struct slice line, struct slice what)
{
	size_t at = what.len ? slice_find_nocase(line, what) : 0, from;

	if (line.len <= LINE_SHOWN)
		return line;
	if (at == line.len)
		at = 0;
	from = at > LINE_SHOWN / 2 ? at - LINE_SHOWN / 2 : 0;
	while (from && from < line.len && line.ptr[from - 1] != ' ')
		from++;
	return slice_take(slice_skip(line, from), LINE_SHOWN);
}

static bool same_list(const struct refusal *a, const struct refusal *b)
{
	if (a->signature || b->signature)
		return a->signature == b->signature && slice_eq_nocase(a->recipient, b->recipient);
	return slice_eq_nocase(a->zone, b->zone) && slice_eq_nocase(a->recipient, b->recipient);
}

/* Adds r, or fills what an earlier one of the same list left open. */
static void add(struct refusals *out, const struct refusal *r)
{
	for (size_t i = 0; i < out->count; i++) {
		struct refusal *have = &out->items[i];

		if (!same_list(have, r)
			&& !(r->recipient.len == 0 && have->signature == r->signature
				&& slice_eq_nocase(have->zone, r->zone)))
			continue;
		if (!have->ip.family)
			have->ip = r->ip;
		if (!have->domain.len)
			have->domain = r->domain;
		if (!have->url.len)
			have->url = r->url;
		return;
	}
	if (out->count < REFUSAL_MAX)
		out->items[out->count++] = *r;
}

/* A signature is left out when a better one says the same: of one operator the first counts, a
 * receiver's error clears its operator's lists, and lists come before all that is none. */
static bool is_outdone(const struct signature_hit *hits, size_t count, size_t i)
{
	const struct signature *s = hits[i].signature;

	for (size_t k = 0; k < count; k++) {
		const struct signature *other = hits[k].signature;

		if (k < i && s->operated_by.len && slice_eq(s->operated_by, other->operated_by))
			return true;
		if (s->kind >= SIGNATURE_DNS && other->kind < SIGNATURE_DNS)
			return true;
		if (s->kind == SIGNATURE_LOCAL && other->kind != SIGNATURE_LOCAL
			&& other->kind < SIGNATURE_DNS)
			return true;
		if (k < i && s->kind >= SIGNATURE_DNS && other->kind == s->kind)
			return true;
	}
	return false;
}

static void fill(
	struct reading *rd, struct slice line, const struct signature_hit *hit, struct refusal *r)
{
	struct slice url;

	read_codes(line, r);
	if (hit && hit->query.len && ip_of_query(hit->query, hit->zone, &r->ip))
		;
	else if (!own_ip(line, &r->ip))
		r->ip.family = 0;
	if (!r->ip.family || (hit && hit->signature->kind == SIGNATURE_DOMAIN))
		own_domain(line, &r->domain);
	if (best_url(line, &r->ip, &url))
		r->url = masked_copy(rd, url);
	r->code = arena_copy(rd->arena, r->code);
	r->status = arena_copy(rd->arena, r->status);
}

static void read_reply(struct reading *rd, struct slice reply, struct slice recipient)
{
	_cleanup_buf_ struct buf flat = BUF_INIT(SIGNATURES_MAX_TEXT);
	struct signature_hit hits[SIGNATURES_MAX_HITS];
	struct refusal r;
	struct slice line, zone;
	size_t count;
	bool listed = false;

	flatten(slice_take(reply, SIGNATURES_MAX_TEXT), &flat);
	line = buf_slice(&flat);
	count = signatures_match(rd->signatures, line, hits);
	for (size_t i = 0; i < count; i++)
		listed = listed || hits[i].zone.len || hits[i].signature->kind < SIGNATURE_DNS;
	for (size_t i = 0; i < count; i++) {
		if (is_outdone(hits, count, i))
			continue;
		r = (struct refusal){.verdict = verdict_of(hits[i].signature->kind),
			.signature = hits[i].signature,
			.list = hits[i].signature->list,
			.zone = arena_copy(rd->arena, zone_of_hit(&hits[i])),
			.recipient = recipient,
			.url = SLICE_EMPTY,
			.code = SLICE_EMPTY,
			.status = SLICE_EMPTY};
		fill(rd, line, &hits[i], &r);
		r.reply = masked_copy(rd, around(line, hits[i].query));
		add(rd->out, &r);
	}
	if (!listed && unknown_zone(line, &zone)) {
		r = (struct refusal){.verdict = REFUSAL_LISTED,
			.zone = masked_copy(rd, zone),
			.recipient = recipient,
			.url = SLICE_EMPTY,
			.code = SLICE_EMPTY,
			.status = SLICE_EMPTY};
		r.list = r.zone;
		fill(rd, line, NULL, &r);
		r.reply = masked_copy(rd, around(line, zone));
		add(rd->out, &r);
	}
}

static bool is_mail(struct slice input)
{
	static const char *const fields[] = {"From", "Received", "Return-Path", "Subject", "Date",
		"Message-ID", "Content-Type", "MIME-Version", "To"};
	struct slice head, body;
	unsigned known = 0;

	header_split(input, &head, &body);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		known += header_has(head, fields[i]);
	return known >= 2;
}

bool refusals_read(
	const struct signatures *s, struct slice input, struct arena *a, struct refusals *ret)
{
	struct reading rd = {s, a, ret};
	struct mime_tree tree;
	struct dsn d;

	*ret = (struct refusals){0};
	if (!is_mail(input)) {
		read_reply(&rd, input, SLICE_EMPTY);
		return !arena_failed(a);
	}
	ret->is_mail = true;
	if (!mime_parse(input, a, &tree) || !dsn_parse(&tree, a, &d))
		return false;
	ret->is_bounce = d.is_report;
	for (size_t i = 0; i < d.recipient_count; i++)
		if (d.recipients[i].diagnostic.len)
			read_reply(&rd, d.recipients[i].diagnostic,
				d.recipients[i].final.len ? d.recipients[i].final
							  : d.recipients[i].original);
	read_reply(&rd, d.text, SLICE_EMPTY);
	return !arena_failed(a);
}

void refusal_url(struct slice template, const struct refusal *r, struct buf *out)
{
	size_t start = out->len;

	while (template.len) {
		if (slice_starts(template, SLICE("%IP%"))) {
			if (!r->ip.family) {
				out->len = start;
				return;
			}
			buf_add_str(out, ip_text(&r->ip).s);
			template = slice_skip(template, 4);
		} else if (slice_starts(template, SLICE("%DOMAIN%"))) {
			if (!r->domain.len) {
				out->len = start;
				return;
			}
			buf_add_str(out, domain_text(&r->domain).s);
			template = slice_skip(template, 8);
		} else {
			buf_add_char(out, template.ptr[0]);
			template = slice_skip(template, 1);
		}
	}
}
