/* received.c - Received header fields, and whom to believe about the sender. */
#include "mail/received.h"

#define WORDS_MAX 64 /* of one field */
#define HOPS_MAX 100

/* A word outside of comments, or a whole comment without its parentheses. */
struct token {
	struct slice text;
	bool is_comment;
};

static bool is_blank(char c)
{
	return ascii_is_space(c);
}

static bool token_next(struct slice *s, struct token *ret)
{
	unsigned depth = 0;
	size_t n = 0;

	while (s->len && is_blank(s->ptr[0]))
		*s = slice_skip(*s, 1);
	if (s->len == 0)
		return false;
	ret->is_comment = s->ptr[0] == '(';
	if (!ret->is_comment) {
		while (n < s->len && !is_blank(s->ptr[n]) && s->ptr[n] != '(' && s->ptr[n] != ';')
			n++;
		if (n == 0) /* ';' */
			n = 1;
		ret->text = slice_take(*s, n);
		*s = slice_skip(*s, n);
		return true;
	}
	for (; n < s->len; n++) {
		if (s->ptr[n] == '(')
			depth++;
		else if (s->ptr[n] == ')' && --depth == 0)
			break;
	}
	ret->text = slice_of(s->ptr + 1, n - 1);
	*s = slice_skip(*s, n + 1);
	return true;
}

/* "[1.2.3.4]", "[1.2.3.4]:25", "[IPv6:2001:db8::1]", "1.2.3.4". */
static bool word_ip(struct slice w, bool bracketed, struct ip *ret)
{
	if (bracketed) {
		if (w.len < 3 || w.ptr[0] != '[')
			return false;
		w = slice_skip(w, 1);
		if (slice_find(w, ']') == w.len)
			return false;
		w = slice_take(w, slice_find(w, ']'));
	}
	w = slice_trim(w);
	if (!ip_parse(w, ret))
		return false;
	*ret = ip_unmap(*ret);
	return true;
}

/* What a word says for itself: sendmail's "IDENT:user@host", qmail's "user@1.2.3.4"; the part before the
 * '@' is the client's own claim. */
static struct slice after_ident(struct slice w)
{
	return slice_find(w, '@') < w.len ? address_domain(w) : w;
}

/* "helo=x", "ident=x", "port=25": Exim's words about what the client said. */
static bool is_claim(struct slice w)
{
	return slice_find(w, '=') < w.len;
}

static bool is_name(struct slice w)
{
	struct ip ip;

	return w.len && w.ptr[0] != '[' && !ip_parse(w, &ip)
	       && !slice_eq_nocase(w, SLICE("unknown")) && !slice_eq_nocase(w, SLICE("may"))
	       && !slice_eq_nocase(w, SLICE("HELO")) && !slice_eq_nocase(w, SLICE("EHLO"));
}

static void read_claim(struct slice word, bool after_helo, struct received *r)
{
	if (!after_helo && !slice_starts_nocase(word, SLICE("helo="))
		&& !slice_starts_nocase(word, SLICE("ehlo=")))
		return;
	if (is_name(r->helo))
		r->rdns = r->helo; /* Exim, qmail: the name in front is the verified one */
	r->helo = after_helo ? word : slice_skip(word, 5);
}

/* Cuts the next word of a comment; parentheses part words, too. */
static bool comment_word(struct slice *s, struct slice *ret)
{
	size_t n = 0;

	while (s->len && (is_blank(s->ptr[0]) || s->ptr[0] == '(' || s->ptr[0] == ')'))
		*s = slice_skip(*s, 1);
	while (n < s->len && !is_blank(s->ptr[n]) && s->ptr[n] != '(' && s->ptr[n] != ')')
		n++;
	*ret = slice_take(*s, n);
	*s = slice_skip(*s, n);
	return n > 0;
}

/* One comment of the from-clause. In it the last address in brackets counts: what stands in front (a
 * reverse name, an ident answer) is under the client's control. A bare address counts when it is
 * alone (qmail, Exchange). False when the comment holds nothing but the client's claims, so that a
 * later one may speak for the MTA. */
static bool read_from_comment(struct slice comment, struct received *r)
{
	struct slice rest = comment, word, first = SLICE_EMPTY;
	bool after_helo = false;
	unsigned own = 0;
	struct ip ip;

	while (comment_word(&rest, &word)) {
		if (after_helo || is_claim(word)) {
			read_claim(word, after_helo, r);
			after_helo = false;
			continue;
		}
		after_helo = slice_eq_nocase(word, SLICE("HELO"))
			     || slice_eq_nocase(word, SLICE("EHLO"));
		if (after_helo)
			continue;
		word = after_ident(word);
		first = own++ ? first : word;
		if (word_ip(word, true, &ip))
			r->ip = ip;
	}
	if (own == 1 && r->ip.family == 0 && word_ip(first, false, &ip))
		r->ip = ip;
	else if (own && is_name(first) && r->ip.family != 0)
		r->rdns = first;
	return own > 0;
}

static void read_for(struct slice word, struct received *r)
{
	if (word.len && word.ptr[0] == '<') {
		word = slice_skip(word, 1);
		word = slice_take(word, slice_find(word, '>'));
	}
	r->for_address = word;
}

/* The clause "from": up to "by", a ';' or the end. Its first comment that is not only the client's
 * claims is the MTA's word on the address; later ones speak of TLS and certificates, whose names are
 * the client's choice again. */
static void read_from(const struct token *tokens, unsigned count, struct received *r)
{
	bool told = false;
	struct ip ip;

	for (unsigned i = 0; i < count && !told; i++) {
		const struct token *t = &tokens[i];

		if (t->is_comment) {
			told = read_from_comment(t->text, r);
		} else if (i == 0) {
			r->helo = t->text;
		} else if (i == 1
			   && word_ip(t->text, true, &ip)) { /* fetchmail: "from host [1.2.3.4]" */
			r->ip = ip;
			r->rdns = r->helo;
			told = true;
		}
	}
	/* "from [1.2.3.4] (helo=x)" (Exim, no reverse name), "from [1.2.3.4]" */
	if (!told && count && !tokens[0].is_comment && word_ip(tokens[0].text, true, &ip))
		r->ip = ip;
	if (!is_name(r->rdns))
		r->rdns = SLICE_EMPTY;
}

bool received_parse(struct slice value, struct received *ret)
{
	struct token tokens[WORDS_MAX];
	struct received r = {.helo = SLICE_EMPTY,
		.rdns = SLICE_EMPTY,
		.by = SLICE_EMPTY,
		.for_address = SLICE_EMPTY};
	unsigned count = 0, by;

	value = slice_take(value, 8192);
	while (count < WORDS_MAX && token_next(&value, &tokens[count]))
		count++;
	if (count == 0)
		return false;
	r.has_from = !tokens[0].is_comment && slice_eq_nocase(tokens[0].text, SLICE("from"));
	for (by = r.has_from ? 1 : 0; by < count; by++) {
		struct slice w = tokens[by].text;

		if (tokens[by].is_comment || slice_eq(w, SLICE(";")))
			continue;
		/* "from" and "by" cannot be the name itself: the word behind the keyword is skipped. */
		if (r.has_from && by == 1)
			continue;
		if (slice_eq_nocase(w, SLICE("by")))
			break;
	}
	if (r.has_from)
		read_from(tokens + 1, MIN(by, count) - 1, &r);
	for (unsigned i = by; i + 1 < count; i++) {
		if (tokens[i].is_comment || tokens[i + 1].is_comment)
			continue;
		if (i == by)
			r.by = tokens[i + 1].text;
		else if (slice_eq_nocase(tokens[i].text, SLICE("for")) && r.for_address.len == 0)
			read_for(tokens[i + 1].text, &r);
	}
	if (!r.has_from && r.by.len == 0 && !tokens[0].is_comment)
		return false;
	*ret = r;
	return true;
}

/* ---- whom to believe ---- */

static bool is_loopback(const struct ip *ip)
{
	struct prefix loopback4 = {ip4_of(0x7f000000), 8}, loopback6 = {{6, {[15] = 1}}, 128};

	return prefix_contains(&loopback4, ip) || prefix_contains(&loopback6, ip);
}

static bool is_relay(const struct received_trust *t, const struct ip *ip)
{
	for (size_t i = 0; i < t->relay_count; i++)
		if (prefix_contains(&t->relays[i], ip))
			return true;
	return false;
}

static bool is_our_name(const struct received_trust *t, struct slice by)
{
	if (t->by_name_count == 0)
		return true;
	for (size_t i = 0; i < t->by_name_count; i++) {
		struct slice name = t->by_names[i];

		if (slice_eq_nocase(by, name))
			return true;
		if (by.len > name.len && by.ptr[by.len - name.len - 1] == '.'
			&& slice_ends_nocase(by, name))
			return true;
	}
	return false;
}

bool received_sender(struct slice head, const struct ip *peer, const struct received_trust *trust,
	struct received_sender *ret)
{
	struct ip unmapped = ip_unmap(*peer);
	struct header_iter it = header_iter_of(head);
	struct received r;
	struct header h;
	unsigned hops = 0;

	if (!is_relay(trust, &unmapped) && !is_loopback(&unmapped)) {
		*ret = (struct received_sender){
			.ip = unmapped, .helo = SLICE_EMPTY, .rdns = SLICE_EMPTY};
		return true;
	}
	while (hops < HOPS_MAX && header_next(&it, &h)) {
		if (!slice_eq_nocase(h.name, SLICE("Received")))
			continue;
		hops++;
		if (!received_parse(h.value, &r))
			return false;
		if (!r.has_from) {
			/* qmail writes two fields for one hop. Anything else without "from" came out of
			 * a program on that host, which may have made up all that is below. */
			if (slice_find_nocase(h.value, SLICE("invoked from network)"))
				== h.value.len)
				return false;
			continue;
		}
		if (!is_our_name(trust, r.by) || r.ip.family == 0)
			return false;
		if (is_relay(trust, &r.ip))
			continue;
		/* A program on that host sent it by SMTP: no more to be believed than one that ran sendmail. */
		if (is_loopback(&r.ip))
			return false;
		*ret = (struct received_sender){
			.ip = r.ip, .helo = r.helo, .rdns = r.rdns, .hops = hops};
		return true;
	}
	return false;
}
