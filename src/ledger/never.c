/* never.c - what is never listed, whatever the evidence says. */
#include "ledger/never.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/siphash.h"

#include <libpsl.h>

/* The widest prefixes anybody may list; what is wider hits too many by one mistake. */
#define WIDEST_IP4 8
#define WIDEST_IP6 16

struct never {
	const struct config_listd *config;
	struct domain *domains;
	size_t domain_count;
	psl_ctx_t *psl; /* NULL: none in this libpsl */
};

/* RFC 2606, RFC 6761, RFC 7686, RFC 9476. Documentation names occur in real mail. */
static const char *const reserved[] = {"test", "invalid", "localhost", "local", "onion", "alt",
	"arpa", "example.com", "example.net", "example.org"};

struct never *never_open(const struct config_listd *config, struct err *err)
{
	struct never *n = mem_new(1, sizeof *n);

	n->config = config;
	n->domains = mem_new(config->never_domains.count + 1, sizeof *n->domains);
	for (size_t i = 0; i < config->never_domains.count; i++) {
		const char *text = config->never_domains.items[i];

		if (!domain_parse_idn(slice_str(text), &n->domains[n->domain_count++], err)) {
			err_prefix(err, "never-domains: '%s': ", text);
			return never_free(n);
		}
	}
	n->psl = psl_latest(NULL);
	return n;
}

struct never *never_free(struct never *n)
{
	if (n) {
		psl_free(n->psl);
		free(n->domains);
		free(n);
	}
	return NULL;
}

int64_t never_fingerprint(const struct never *n)
{
	static const uint8_t key[16] = "what is changed";
	_cleanup_buf_ struct buf all = BUF_INIT((size_t)1 << 30);

	buf_addf(&all, "%d %d\n", WIDEST_IP4, WIDEST_IP6);
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		buf_addf(&all, "%s\n", reserved[i]);
	for (size_t i = 0; i < n->config->never.count; i++)
		buf_addf(&all, "%s\n", prefix_text(&n->config->never.items[i]).s);
	for (size_t i = 0; i < n->domain_count; i++)
		buf_addf(&all, "%s\n", domain_text(&n->domains[i]).s);
	return (int64_t)siphash(key, buf_slice(&all));
}

static bool forbid(struct reason *ret, enum reason_code code, const char *entry)
{
	*ret = reason_of(code, slice_str(entry));
	return false;
}

static bool allows_prefix(const struct never *n, const struct prefix *p, struct reason *ret)
{
	unsigned widest = p->ip.family == 4 ? WIDEST_IP4 : WIDEST_IP6;

	if (p->len < widest) {
		*ret = (struct reason){.code = REASON_TOO_WIDE, .widest = widest};
		return false;
	}
	if (prefix_is_special(p))
		return forbid(ret, REASON_SPECIAL_RANGE, "");
	for (size_t i = 0; i < n->config->never.count; i++) {
		const struct prefix *never = &n->config->never.items[i];

		if (prefix_covers(never, p) || prefix_covers(p, never))
			return forbid(ret, REASON_PROTECTED, prefix_text(never).s);
	}
	return true;
}

static bool allows_domain(const struct never *n, const struct subject *s, struct reason *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		struct domain d;

		if (domain_parse(slice_str(reserved[i]), &d, NULL)
			&& domain_is_under(&s->domain, &d))
			return forbid(ret, REASON_RESERVED_NAME, reserved[i]);
	}
	/* A listed name covers the names below it, so it must not stand above a protected one either. */
	for (size_t i = 0; i < n->domain_count; i++)
		if (domain_is_under(&s->domain, &n->domains[i])
			|| domain_is_under(&n->domains[i], &s->domain))
			return forbid(ret, REASON_PROTECTED, n->config->never_domains.items[i]);
	if (n->psl && psl_is_public_suffix2(n->psl, s->text, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
		return forbid(ret, REASON_PUBLIC_SUFFIX, "");
	return true;
}

bool never_allows(const struct never *n, const struct subject *s, struct reason *ret_why)
{
	return s->kind == SUBJECT_PREFIX ? allows_prefix(n, &s->prefix, ret_why)
					 : allows_domain(n, s, ret_why);
}

bool never_error(const struct reason *why, struct err *err)
{
	switch (why->code) {
	case REASON_TOO_WIDE:
		return err_set(
			err, ERR_REFUSED, "never listed: wider than /%lld", (long long)why->widest);
	case REASON_SPECIAL_RANGE:
		return err_set(
			err, ERR_REFUSED, "never listed: special-purpose address space (RFC 6890)");
	case REASON_RESERVED_NAME:
		return err_set(err, ERR_REFUSED,
			"never listed: %s is a reserved name (RFC 2606, RFC 6761)", why->text);
	case REASON_PUBLIC_SUFFIX:
		return err_set(err, ERR_REFUSED,
			"never listed: a public suffix, under which strangers register names");
	default:
		return err_set(err, ERR_REFUSED,
			"never listed: %s is protected by the configuration", why->text);
	}
}
