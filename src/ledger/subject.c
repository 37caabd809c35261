/* subject.c - what a listing is about: an address, a prefix or a domain, in one canonical text. */
#include "ledger/subject.h"

/* Prefixes wider than these are never listed, so looking for them is of no use. */
#define WIDEST_IP4 8
#define WIDEST_IP6 16

static bool looks_like_address(struct slice text)
{
	bool digits_only = text.len > 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == ':' || c == '/')
			return true;
		if (!ascii_is_digit(c) && c != '.')
			digits_only = false;
	}
	return digits_only;
}

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24: one thing, one text. */
static struct prefix prefix_unmap(const struct prefix *p)
{
	struct ip ip = ip_unmap(p->ip);

	if (p->ip.family == 6 && p->len >= 96 && ip.family == 4)
		return prefix_of(&ip, p->len - 96u);
	return *p;
}

void subject_of_prefix(const struct prefix *p, struct subject *ret)
{
	struct prefix plain = prefix_unmap(p);
	struct prefix_text text = prefix_text(&plain);

	*ret = (struct subject){.kind = SUBJECT_PREFIX, .prefix = plain};
	(void)slice_copy(slice_str(text.s), ret->text, sizeof ret->text);
}

static bool subject_of_domain(const struct domain *d, struct subject *ret, struct err *err)
{
	struct domain_text text = domain_text(d);
	struct subject s = {.kind = SUBJECT_DOMAIN, .domain = *d};

	if (d->labels < 2)
		return err_set(err, ERR_REFUSED,
			"'%s' has one label only: give a domain such as bad.example", text.s);
	for (const char *p = text.s; *p; p++)
		if (!ascii_is_alpha(*p) && !ascii_is_digit(*p) && *p != '-' && *p != '_'
			&& *p != '.')
			return err_set(err, ERR_SYNTAX,
				"a domain holds letters, digits, '-' and '_' only");
	if (!slice_copy(slice_str(text.s), s.text, sizeof s.text))
		return err_set(err, ERR_LIMIT, "the domain is longer than 253 bytes");
	*ret = s;
	return true;
}

bool subject_parse(struct slice text, struct subject *ret, struct err *err)
{
	struct prefix prefix;
	struct domain domain;

	text = slice_trim(text);
	if (text.len == 0)
		return err_set(err, ERR_SYNTAX, "empty: give an address, a prefix or a domain");
	if (text.len > 1000)
		return err_set(err, ERR_LIMIT, "longer than an address or a domain can be");
	if (looks_like_address(text)) {
		if (!prefix_parse(text, &prefix, err))
			return false;
		subject_of_prefix(&prefix, ret);
		return true;
	}
	if (!domain_parse_idn(text, &domain, err))
		return false;
	return subject_of_domain(&domain, ret, err);
}

bool subject_wider(const struct subject *s, unsigned n, struct subject *ret)
{
	if (n == 0) {
		*ret = *s;
		return true;
	}
	if (s->kind == SUBJECT_PREFIX) {
		unsigned widest = s->prefix.ip.family == 4 ? WIDEST_IP4 : WIDEST_IP6;
		struct prefix p;

		if (s->prefix.len < widest + n)
			return false;
		p = prefix_of(&s->prefix.ip, s->prefix.len - n);
		subject_of_prefix(&p, ret);
		return true;
	}
	if (s->domain.labels < n + 2u)
		return false;
	struct domain d = domain_parent(&s->domain, n);

	return subject_of_domain(&d, ret, NULL);
}
