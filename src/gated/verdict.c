/* verdict.c - scores, thresholds, and the words of a refusal. Pure. */
#include "gated/verdict.h"

#include <stdio.h>

#define DEFAULT_REPLY "Client host [$] blocked using %z; %t"

const char *verdict_action_text(enum verdict_action a)
{
	static const char *const texts[] = {
		[VERDICT_ACCEPT] = "accept",
		[VERDICT_TAG] = "tag",
		[VERDICT_DEFER] = "defer",
		[VERDICT_REJECT] = "reject",
	};

	return texts[a];
}

/* ---- words ---- */

static size_t url_length(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] > ' ' && s.ptr[n] <= '~' && !strchr("\"<>", s.ptr[n]))
		n++;
	/* what ends a sentence is not of the URL */
	while (n > 0 && strchr(".,;)]", s.ptr[n - 1]))
		n--;
	return n;
}

/* The first http or https URL; empty when there is none. */
static struct slice find_url(struct slice text)
{
	size_t at = slice_find_nocase(text, SLICE("https://"));
	size_t plain = slice_find_nocase(text, SLICE("http://"));
	struct slice url = slice_skip(text, MIN(at, plain));

	return slice_take(url, url_length(url));
}

/* reason in at most `room` bytes, its URL whole. */
static void add_reason(struct buf *out, struct slice reason, size_t room)
{
	struct slice url = find_url(reason);
	size_t keep;

	if (reason.len <= room) {
		buf_add_slice(out, reason);
		return;
	}
	if (url.len == 0 || url.len > room) {
		/* half a URL leads nowhere */
		keep = url.len ? MIN((size_t)(url.ptr - reason.ptr), room) : room;
		buf_add_slice(out, slice_trim(slice_take(reason, keep)));
		return;
	}
	if ((size_t)(url.ptr - reason.ptr) + url.len <= room) {
		/* cut between words: a second URL is not to be halved either */
		keep = room;
		while (keep > (size_t)(url.ptr - reason.ptr) + url.len && reason.ptr[keep] != ' ')
			keep--;
		buf_add_slice(out, slice_trim(slice_take(reason, keep)));
		return;
	}
	/* words, dots, URL */
	keep = room - url.len;
	if (keep > 4)
		buf_addf(out, "%.*s... ", (int)(keep - 4), reason.ptr);
	buf_add_slice(out, url);
}

/* Expands the template with the reason in `room` bytes; only the first %t gets it. */
static void expand(struct buf *out, struct slice template, const char *client, const char *zone,
	struct slice reason, size_t room)
{
	bool told = false;

	for (size_t i = 0; i < template.len; i++) {
		char next = i + 1 < template.len ? template.ptr[i + 1] : 0;

		if (template.ptr[i] == '$') {
			buf_add_str(out, client);
		} else if (template.ptr[i] == '%' && next == 'z') {
			buf_add_str(out, zone);
			i++;
		} else if (template.ptr[i] == '%' && next == 't') {
			if (!told)
				add_reason(out, reason, room);
			told = true;
			i++;
		} else {
			buf_add_char(out, template.ptr[i]);
		}
	}
}

/* One line of printable ASCII, whatever came in. */
static void line_copy(struct slice s, char *dst, size_t size)
{
	size_t n = MIN(s.len, size - 1);

	for (size_t i = 0; i < n; i++)
		dst[i] = s.ptr[i] >= ' ' && s.ptr[i] <= '~' ? s.ptr[i] : '?';
	while (n > 0 && strchr(" ;:", dst[n - 1]))
		n--;
	dst[n] = 0;
}

void verdict_reply(const char *code, const char *template, const char *client, const char *zone,
	const char *reason, char ret[VERDICT_REPLY_MAX + 1])
{
	_cleanup_buf_ struct buf plain = BUF_INIT(8192), whole = BUF_INIT(8192);
	struct slice t = slice_str(template && template[0] ? template : DEFAULT_REPLY);
	size_t room;

	buf_addf(&plain, "%s ", code);
	expand(&plain, t, client, zone, SLICE_EMPTY, 0);
	room = plain.len < VERDICT_REPLY_MAX ? VERDICT_REPLY_MAX - plain.len : 0;
	buf_addf(&whole, "%s ", code);
	expand(&whole, t, client, zone, slice_str(reason), room);
	line_copy(buf_slice(&whole), ret, VERDICT_REPLY_MAX + 1);
}

/* ---- score ---- */

/* The weight of a hit as it counts; false when it is no hit. */
static bool list_weight(const struct verdict_list *l, const struct verdict_answer *a, long *ret)
{
	long weight;

	if (!a->asked || !a->answer || a->answer->status != DNSBL_LISTED
		|| !code_set_weight(&l->codes, a->answer->codes, a->answer->code_count,
			l->config->weight, &weight))
		return false;
	*ret = l->config->kind == GATE_ALLOW ? -weight : weight;
	return true;
}

static enum verdict_action score_action(const struct config_gated *c, long score)
{
	if (c->reject_at > 0 && score >= c->reject_at)
		return VERDICT_REJECT;
	if (c->defer_at > 0 && score >= c->defer_at)
		return VERDICT_DEFER;
	if (c->tag_at > 0 && score >= c->tag_at)
		return VERDICT_TAG;
	return VERDICT_ACCEPT;
}

static void lists_add(struct verdict *v, const char *zone, long weight)
{
	size_t len = strlen(v->lists);

	snprintf(v->lists + len, sizeof v->lists - len, "%s%s:%ld", len ? " " : "", zone, weight);
}

static bool list_is_silent(const struct verdict_answer *a)
{
	return a->asked && a->done
	       && (!a->answer
		       || (a->answer->status != DNSBL_LISTED && a->answer->status != DNSBL_CLEAR));
}

void verdict_judge(const struct config_gated *config, const struct verdict_list *lists,
	const struct verdict_answer *answers, size_t count, const struct ip *client,
	struct verdict *ret)
{
	struct verdict v = {.decisive = -1};
	long weight, heaviest = 0;

	for (size_t i = 0; i < count; i++) {
		v.asked += answers[i].asked;
		v.silent += list_is_silent(&answers[i]);
		if (!list_weight(&lists[i], &answers[i], &weight))
			continue;
		v.hits++;
		v.score += weight;
		lists_add(&v, lists[i].config->zone, weight);
		if (weight > heaviest) {
			heaviest = weight;
			v.decisive = (int)i;
		}
	}
	v.action = score_action(config, v.score);
	if (v.action == VERDICT_TAG)
		snprintf(v.tag, sizeof v.tag, "YES, score=%ld, lists=%s", v.score, v.lists);
	if (v.action >= VERDICT_DEFER)
		verdict_reply(v.action == VERDICT_REJECT ? "550 5.7.1" : "451 4.7.1",
			lists[v.decisive].config->reply, ip_text(client).s,
			lists[v.decisive].config->zone, answers[v.decisive].answer->text, v.reply);
	*ret = v;
}

/* The least and the most that a list can still bring. */
static void list_range(const struct verdict_list *l, long *ret_least, long *ret_most)
{
	bool plain = l->codes.count == 0;
	long least = 0, most = 0;

	for (size_t i = 0; i < l->codes.count; i++) {
		long weight = l->codes.items[i].weight;

		plain |= !l->codes.items[i].weighted;
		if (l->codes.items[i].weighted && weight > 0)
			most += weight;
		else if (l->codes.items[i].weighted)
			least += weight;
	}
	if (plain && l->config->weight > 0)
		most += l->config->weight;
	else if (plain)
		least += l->config->weight;
	*ret_least = l->config->kind == GATE_ALLOW ? -most : least;
	*ret_most = l->config->kind == GATE_ALLOW ? -least : most;
}

bool verdict_is_settled(const struct config_gated *config, const struct verdict_list *lists,
	const struct verdict_answer *answers, size_t count)
{
	long least = 0, most = 0;

	for (size_t i = 0; i < count; i++) {
		long low = 0, high = 0;

		if (answers[i].asked && !answers[i].done)
			list_range(&lists[i], &low, &high);
		else if (list_weight(&lists[i], &answers[i], &low))
			high = low;
		least += low;
		most += high;
	}
	return score_action(config, least) == score_action(config, most);
}
