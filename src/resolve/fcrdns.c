/* fcrdns.c - PTR, then the addresses of each name, all within one deadline. */
#include "resolve/fcrdns.h"

#include "base/mem.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct forward {
	struct fcrdns *whole;
	struct domain name;
	struct lookup *lookup;
};

struct fcrdns {
	struct upstream *upstream;
	struct ip ip;
	int64_t deadline_ms;
	struct lookup *reverse;
	struct forward forwards[FCRDNS_NAMES_MAX];
	size_t forward_count, open;
	bool unsure; /* a name could not be looked up */
	fcrdns_fn *fn;
	void *ctx;
	struct fcrdns_result result;
};

bool fcrdns_reverse_name(const struct ip *ip, struct domain *ret)
{
	char text[IP_REVERSED_MAX];
	struct domain front, back;

	return domain_parse(slice_of(text, ip_reversed(ip, text)), &front, NULL)
	       && domain_parse(
		       ip->family == 4 ? SLICE("in-addr.arpa") : SLICE("ip6.arpa"), &back, NULL)
	       && domain_join(&front, &back, ret);
}

struct fcrdns *fcrdns_cancel(struct fcrdns *f)
{
	if (!f)
		return NULL;
	lookup_cancel(f->reverse);
	for (size_t i = 0; i < f->forward_count; i++)
		lookup_cancel(f->forwards[i].lookup);
	free(f);
	return NULL;
}

static void fcrdns_done(struct fcrdns *f, enum fcrdns_status status)
{
	f->result.status = status;
	f->fn(f->ctx, &f->result);
	fcrdns_cancel(f);
}

/* A name as it fits into a sentence. */
static int name_width(const struct domain_text *t)
{
	return (int)strnlen(t->s, 120);
}

static bool answer_holds(const struct resolve_answer *answer, const struct ip *ip)
{
	size_t len = ip->family == 4 ? 4 : 16;

	for (size_t i = 0; i < answer->count && i < FCRDNS_ADDRESSES_MAX; i++)
		if (answer->records[i].len == len
			&& memcmp(answer->records[i].ptr, ip->bytes, len) == 0)
			return true;
	return false;
}

static void fcrdns_verdict(struct fcrdns *f)
{
	struct domain_text first = domain_text(&f->result.name);

	if (f->unsure) {
		snprintf(f->result.why, sizeof f->result.why,
			"%s has the name %.*s, but its addresses could not be looked up just now",
			ip_text(&f->ip).s, name_width(&first), first.s);
		fcrdns_done(f, FCRDNS_UNKNOWN);
		return;
	}
	snprintf(f->result.why, sizeof f->result.why,
		"%s has the name %.*s%s, but %s does not lead back to %s", ip_text(&f->ip).s,
		name_width(&first), first.s, f->result.name_count > 1 ? " and others" : "",
		f->result.name_count > 1 ? "none of them" : "that name", ip_text(&f->ip).s);
	fcrdns_done(f, FCRDNS_NO_MATCH);
}

static void fcrdns_forward(void *ctx, const struct resolve_answer *answer)
{
	struct forward *w = ctx;
	struct fcrdns *f = w->whole;

	w->lookup = NULL;
	f->open--;
	if (answer->status == RESOLVE_ANSWER && answer_holds(answer, &f->ip)) {
		struct domain_text name = domain_text(&w->name);

		f->result.name = w->name;
		snprintf(f->result.why, sizeof f->result.why,
			"%s has the name %.*s, and that name leads back to it", ip_text(&f->ip).s,
			name_width(&name), name.s);
		fcrdns_done(f, FCRDNS_OK);
		return;
	}
	f->unsure |= answer->status != RESOLVE_ANSWER && answer->status != RESOLVE_NODATA
		     && answer->status != RESOLVE_NXDOMAIN;
	if (f->open == 0)
		fcrdns_verdict(f);
}

static void fcrdns_reverse(void *ctx, const struct resolve_answer *answer)
{
	struct fcrdns *f = ctx;
	uint16_t type = f->ip.family == 4 ? RESOLVE_A : RESOLVE_AAAA;
	int64_t left = f->deadline_ms - clock_mono_ms();
	bool none = answer->status == RESOLVE_NXDOMAIN || answer->status == RESOLVE_NODATA;

	f->reverse = NULL;
	if (none) {
		snprintf(f->result.why, sizeof f->result.why,
			"%s has no name in the reverse DNS (PTR)", ip_text(&f->ip).s);
		fcrdns_done(f, FCRDNS_NO_PTR);
		return;
	}
	if (answer->status != RESOLVE_ANSWER) {
		snprintf(f->result.why, sizeof f->result.why,
			"the name of %s could not be looked up just now: %s", ip_text(&f->ip).s,
			resolve_status_text(answer->status));
		fcrdns_done(f, FCRDNS_UNKNOWN);
		return;
	}
	f->result.name_count = answer->count;
	for (size_t i = 0; i < answer->count && f->forward_count < FCRDNS_NAMES_MAX; i++) {
		struct forward *w = &f->forwards[f->forward_count];

		if (!domain_from_wire((const uint8_t *)answer->records[i].ptr,
			    answer->records[i].len, &w->name))
			continue;
		w->whole = f;
		if (f->forward_count++ == 0)
			f->result.name = w->name;
		f->open++;
		w->lookup =
			lookup_start(f->upstream, &w->name, type, MAX(left, 1), fcrdns_forward, w);
	}
	if (f->open == 0)
		fcrdns_verdict(f);
}

struct fcrdns *fcrdns_start(
	struct upstream *u, const struct ip *ip, int64_t timeout_ms, fcrdns_fn *fn, void *ctx)
{
	struct fcrdns *f = mem_new(1, sizeof *f);
	struct domain name;

	f->upstream = u;
	f->ip = *ip;
	f->deadline_ms = clock_mono_ms() + timeout_ms;
	f->fn = fn;
	f->ctx = ctx;
	fcrdns_reverse_name(ip, &name);
	f->reverse = lookup_start(u, &name, RESOLVE_PTR, timeout_ms, fcrdns_reverse, f);
	return f;
}
