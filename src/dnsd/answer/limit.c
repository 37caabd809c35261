/* limit.c - rate limit and quotas, behind every answer. */
#include "dnsd/answer/limit.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/rate.h"

#define EXCESSIVE 0x7fffffffu /* 127.255.255.255 */
#define EXCESSIVE_TTL_S 60
#define EXCESSIVE_TEXT "query quota exceeded"

struct limits {
	const struct limits_setup *setup;
	struct rate *rate; /* NULL: none */
};

static bool zone_quotas(const struct config *c)
{
	for (size_t i = 0; i < c->list_count; i++)
		if (c->lists[i].quota_second || c->lists[i].quota_day)
			return true;
	for (size_t i = 0; i < c->dnsd.zone_count; i++)
		if (c->dnsd.zones[i].quota_second || c->dnsd.zones[i].quota_day)
			return true;
	return false;
}

void limits_setup_init(
	struct limits_setup *setup, const struct config *config, const uint8_t random[16])
{
	const struct config_dnsd *c = &config->dnsd;

	*setup = (struct limits_setup){.rate = (uint32_t)c->rate_limit,
		.slip = (uint32_t)c->rate_slip,
		.client = {(uint32_t)c->quota_second, (uint32_t)c->quota_day},
		.zones = zone_quotas(config),
		.tell = c->quota_answer == QUOTA_CODE,
		.unlimited = &c->unlimited};
	memcpy(setup->key, random, sizeof setup->key);
	if (setup->client.second || setup->client.day || setup->zones)
		setup->quota = quota_new();
}

void limits_setup_done(struct limits_setup *setup)
{
	setup->quota = quota_free(setup->quota);
}

struct limits *limits_new(const struct limits_setup *setup)
{
	struct limits *l;

	if (!setup->rate && !setup->quota)
		return NULL;
	l = mem_new(1, sizeof *l);
	l->setup = setup;
	l->rate = setup->rate ? rate_new(setup->rate, setup->slip, setup->key) : NULL;
	return l;
}

struct limits *limits_free(struct limits *l)
{
	if (!l)
		return NULL;
	rate_free(l->rate);
	free(l);
	return NULL;
}

/* Asked only of those over a limit. */
static bool is_unlimited(const struct limits *l, const struct ip *peer)
{
	for (size_t i = 0; i < l->setup->unlimited->count; i++)
		if (prefix_contains(&l->setup->unlimited->items[i], peer))
			return true;
	return false;
}

static bool parse(struct slice message, struct dns_question *q)
{
	return dns_question_parse(message, q) == DNS_QUESTION_OK && q->end;
}

/* ---- quotas ---- */

uint64_t limits_key(const struct limits *l, struct slice key)
{
	uint8_t in[64] = {'k'};

	key = slice_take(key, sizeof in - 1);
	memcpy(in + 1, key.ptr, key.len);
	return siphash(l->setup->key, slice_of(in, 1 + key.len));
}

/* An IPv6 host has a /64 of addresses to ask from. */
static uint64_t client_of(const struct limits *l, const struct ip *peer)
{
	uint8_t in[9] = {peer->family};

	memcpy(in + 1, peer->bytes, peer->family == 6 ? 8 : 4);
	return siphash(l->setup->key, slice_of(in, sizeof in));
}

static bool over_quota(
	const struct limits *l, const struct answer_from *from, const struct answer_note *note)
{
	const struct limits_setup *s = l->setup;
	uint64_t client = note->who ? note->who : client_of(l, &from->peer), in_zone[2];
	bool over = false;

	if (s->client.second || s->client.day)
		over = quota_over(s->quota, client, &s->client, from->now_s);
	if (!note->quota)
		return over;
	in_zone[0] = client;
	in_zone[1] = note->zone_hash;
	client = siphash(s->key, slice_of(in_zone, sizeof in_zone));
	return quota_over(s->quota, client, note->quota, from->now_s) || over;
}

static void write_excessive(struct dns_writer *w, uint16_t type)
{
	dns_record_begin(w, DNS_HEADER_SIZE, type, EXCESSIVE_TTL_S);
	if (type == DNS_A)
		dns_record_u32(w, EXCESSIVE);
	else
		dns_record_text(w, SLICE(EXCESSIVE_TEXT));
	dns_record_end(w, DNS_ANSWER);
}

static size_t say_excessive(const struct limits *l, const struct answer_from *from,
	struct slice message, uint8_t *out, struct answer_note *note)
{
	unsigned rcode = DNS_REFUSED, flags = 0;
	struct dns_question q;
	struct dns_writer w;

	note->listed = note->truncated = false;
	note->over_quota = true;
	if (!parse(message, &q))
		return 0;
	dns_writer_start(&w, out, DNS_UDP_PLAIN, message, &q);
	if (q.edns)
		identity_options(from, &q, &w);
	if (l->setup->tell && note->rcode != DNS_REFUSED
		&& (q.type == DNS_A || q.type == DNS_TXT)) {
		write_excessive(&w, q.type);
		rcode = DNS_NOERROR;
		flags = DNS_AA;
	}
	if (q.edns)
		identity_error(&w, DNS_EDE_PROHIBITED, EXCESSIVE_TEXT);
	note->rcode = (uint8_t)rcode;
	return dns_writer_finish(&w, flags, rcode);
}

/* ---- rate ---- */

static enum rate_kind kind_of(const struct answer_note *note)
{
	if (note->rcode == DNS_NXDOMAIN)
		return RATE_NXDOMAIN;
	if (note->rcode != DNS_NOERROR)
		return RATE_ERROR;
	return note->listed ? RATE_LISTED : RATE_NODATA;
}

/* No more bytes than the question has, or a cookie more: comes again over TCP, or with that cookie. */
static size_t say_again(const struct answer_from *from, struct slice message, uint8_t *out,
	struct answer_note *note)
{
	struct dns_question q;
	struct dns_writer w;

	if (!parse(message, &q))
		return 0;
	dns_writer_start(&w, out, DNS_UDP_PLAIN, message, &q);
	if (q.edns && q.options.cookie_len && from->identity && from->identity->cookies) {
		identity_options(from, &q, &w);
		note->rcode = DNS_BADCOOKIE; /* RFC 7873, 5.2.3 and 5.2.4 */
		return dns_writer_finish(&w, 0, DNS_BADCOOKIE);
	}
	w.overflow = note->truncated = true;
	return dns_writer_finish(&w, 0, note->rcode);
}

size_t limits_apply(struct limits *l, const struct answer_from *from, struct slice message,
	uint8_t *out, size_t n, struct answer_note *note)
{
	enum rate_verdict verdict = RATE_PASS;

	if (n == 0 || from->peer.family == 0)
		return n;
	if (l->setup->quota && over_quota(l, from, note) && !is_unlimited(l, &from->peer))
		n = say_excessive(l, from, message, out, note);
	if (l->rate && !note->proven && n)
		verdict = rate_check(l->rate, &from->peer, kind_of(note), from->now_s);
	if (verdict == RATE_PASS || is_unlimited(l, &from->peer))
		return n;
	note->limited = true;
	note->listed = note->truncated = false;
	return verdict == RATE_SLIP ? say_again(from, message, out, note) : 0;
}
