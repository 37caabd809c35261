/* dnsbl.c - one question to one DNS list: A, and TXT when listed. */
#include "resolve/dnsbl.h"

#include "base/mem.h"
#include "io/clock.h"

#include <stdlib.h>

struct dnsbl {
	struct dnsbl_list list;
	struct domain name;
	int64_t deadline_ms;
	struct lookup *lookup;
	dnsbl_fn *fn;
	void *ctx;
	struct dnsbl_answer answer;
};

static const struct {
	const char *word, *text;
} statuses[] = {
	[DNSBL_CLEAR] = {"clear", "not listed"},
	[DNSBL_LISTED] = {"listed", "listed"},
	[DNSBL_ERROR_CODE] = {"error-code",
		"answers with an error code: it does not serve this resolver, "
		"or was asked wrongly"},
	[DNSBL_LYING] = {"lying",
		"answers outside 127.0.0.0/8: it is no list any more, or the resolver "
		"makes answers up"},
	[DNSBL_REFUSED] = {"refused", "refuses this resolver"},
	[DNSBL_TIMEOUT] = {"timeout", "did not answer in time"},
	[DNSBL_FAILED] = {"failed", "could not be asked: its name servers fail"},
	[DNSBL_SUSPENDED] = {"suspended", "not asked: its server has been silent lately"},
};

const char *dnsbl_status_text(enum dnsbl_status s)
{
	return statuses[s].text;
}

const char *dnsbl_status_word(enum dnsbl_status s)
{
	return statuses[s].word;
}

bool dnsbl_name_of_ip(const struct ip *ip, const struct domain *zone, struct domain *ret)
{
	char text[IP_REVERSED_MAX];
	struct domain front;

	return domain_parse(slice_of(text, ip_reversed(ip, text)), &front, NULL)
	       && domain_join(&front, zone, ret);
}

bool dnsbl_name_of_domain(const struct domain *d, const struct domain *zone, struct domain *ret)
{
	return d->labels > 0 && domain_join(d, zone, ret);
}

static void dnsbl_done(struct dnsbl *d)
{
	d->fn(d->ctx, &d->answer);
	free(d);
}

/* Words of a stranger: one line of printable ASCII. */
static void answer_add_text(struct dnsbl_answer *a, struct slice text)
{
	size_t len = strlen(a->text);

	if (len > 0)
		for (const char *between = " / "; *between && len < DNSBL_TEXT_MAX - 1; between++)
			a->text[len++] = *between;
	for (size_t i = 0; i < text.len && len < DNSBL_TEXT_MAX - 1; i++) {
		char c = text.ptr[i];

		if (ascii_is_space(c))
			c = ' ';
		a->text[len++] = c >= ' ' && c <= '~' ? c : '?';
	}
	a->text[len] = 0;
}

static void dnsbl_text(void *ctx, const struct resolve_answer *answer)
{
	struct dnsbl *d = ctx;

	if (answer->status == RESOLVE_ANSWER)
		for (size_t i = 0; i < answer->count; i++)
			answer_add_text(&d->answer, answer->records[i]);
	dnsbl_done(d);
}

static bool code_is_error(const struct dnsbl_list *list, uint32_t code)
{
	return code >> 8 == 0x7fffff
	       || (list->error_codes && code_set_matches(list->error_codes, code));
}

static int code_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* RFC 5782, 2.3: the values lie within 127.0.0.0/8. One that does not spoils the whole answer. */
static enum dnsbl_status codes_judge(struct dnsbl *d, const struct resolve_answer *answer)
{
	struct dnsbl_answer *a = &d->answer;
	uint32_t good[DNSBL_CODES_MAX];
	size_t good_count = 0;
	bool lying = false;

	for (size_t i = 0; i < answer->count; i++) {
		const uint8_t *b = (const uint8_t *)answer->records[i].ptr;
		uint32_t code =
			(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

		lying |= code >> 24 != 127;
		if (a->code_count < DNSBL_CODES_MAX)
			a->codes[a->code_count++] = code;
		if (good_count < DNSBL_CODES_MAX && !code_is_error(&d->list, code))
			good[good_count++] = code;
	}
	qsort(a->codes, a->code_count, sizeof a->codes[0], code_compare);
	if (lying)
		return DNSBL_LYING;
	if (good_count == 0)
		return DNSBL_ERROR_CODE;
	qsort(good, good_count, sizeof good[0], code_compare);
	memcpy(a->codes, good, good_count * sizeof good[0]);
	a->code_count = good_count;
	return DNSBL_LISTED;
}

static void dnsbl_address(void *ctx, const struct resolve_answer *answer)
{
	static const enum dnsbl_status failures[] = {
		[RESOLVE_NODATA] = DNSBL_CLEAR,
		[RESOLVE_NXDOMAIN] = DNSBL_CLEAR,
		[RESOLVE_REFUSED] = DNSBL_REFUSED,
		[RESOLVE_FAILED] = DNSBL_FAILED,
		[RESOLVE_TIMEOUT] = DNSBL_TIMEOUT,
		[RESOLVE_SUSPENDED] = DNSBL_SUSPENDED,
	};
	struct dnsbl *d = ctx;
	int64_t left;

	d->lookup = NULL;
	if (answer->status != RESOLVE_ANSWER) {
		d->answer.status = failures[answer->status];
		dnsbl_done(d);
		return;
	}
	d->answer.status = codes_judge(d, answer);
	left = d->deadline_ms - clock_mono_ms();
	if (d->answer.status != DNSBL_LISTED || d->list.without_text || left <= 0) {
		dnsbl_done(d);
		return;
	}
	d->lookup = lookup_start(d->list.upstream, &d->name, RESOLVE_TXT, left, dnsbl_text, d);
}

struct dnsbl *dnsbl_start(const struct dnsbl_list *list, const struct domain *name,
	int64_t timeout_ms, dnsbl_fn *fn, void *ctx)
{
	struct dnsbl *d = mem_new(1, sizeof *d);

	d->list = *list;
	d->name = *name;
	d->deadline_ms = clock_mono_ms() + timeout_ms;
	d->fn = fn;
	d->ctx = ctx;
	d->lookup = lookup_start(list->upstream, name, RESOLVE_A, timeout_ms, dnsbl_address, d);
	return d;
}

const struct dnsbl_answer *dnsbl_so_far(const struct dnsbl *d)
{
	return d->answer.status == DNSBL_LISTED ? &d->answer : NULL;
}

struct dnsbl *dnsbl_cancel(struct dnsbl *d)
{
	if (!d)
		return NULL;
	lookup_cancel(d->lookup);
	free(d);
	return NULL;
}
