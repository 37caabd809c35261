/* fuzz_dns_question.c - any message through answer(): replies are well formed, fit, echo the id, and are
 * the same by the short way and the long one. */
#include "../unit/dnsd_world.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/limit.h"
#include "dnsd/answer/secondaries.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

static void check_reply(const uint8_t *data, const uint8_t *out, size_t n)
{
	struct slice reply = slice_of(out, n);
	size_t at = DNS_HEADER_SIZE;
	struct dns_record rec;
	struct domain d;

	CHECK(n >= DNS_HEADER_SIZE && out[2] & 0x80 && memcmp(out, data, 2) == 0);
	if (dns_u16(out + 4)) {
		CHECK((at = dns_name_read(reply, at, &d)) != 0);
		at += 4;
		CHECK(memcmp(out + 12, data + 12, at - 12) == 0);
	}
	for (unsigned i = 0; i < dns_u16(out + 6) + dns_u16(out + 8) + dns_u16(out + 10) + 0u;
		i++) {
		CHECK((at = dns_record_read(reply, at, &rec)) != 0);
		CHECK(dns_name_read(reply, rec.owner, &d) != 0);
		if (rec.type == DNS_NS || rec.type == DNS_SOA)
			CHECK(dns_name_read(reply, rec.rdata, &d) != 0);
	}
	CHECK(at == n);
}

/* The short way and the long one say the same. */
static void check_both_ways(const struct served *served, const struct answer_from *from,
	struct slice message, struct slice reply, const struct answer_note *note)
{
	static uint8_t full[ANSWER_SIZE_TCP];
	struct answer_note other;
	size_t n = answer_fully(served, from, message, full, &other);

	CHECK(n == reply.len && memcmp(full, reply.ptr, n) == 0);
	CHECK(n == 0
		|| (other.rcode == note->rcode && other.listed == note->listed
			&& other.truncated == note->truncated));
}

/* This one may have the zones, unsigned or with a key that the saved inputs know. */
static struct prefix anywhere = {.ip = {.family = 4}};
static const struct config_secondary secondary_config = {.from = {&anywhere, 1}};
static struct tsig_key key = {
	.name = {.len = 3, .labels = 1, .wire = "\1k"}, .algorithm = 4, .secret_len = 3};
static struct secondary secondary = {.config = &secondary_config};
static const struct secondaries secondaries = {&key, &secondary, 1, 1};

static const struct identity identity = {.secondaries = &secondaries,
	.nsid = {"ns1", 3},
	.version = {"1", 1},
	.id = {"here", 4},
	.keepalive = 100,
	.cookies = true};

static void check_serial(struct slice message)
{
	struct dns_question q;
	uint32_t serial;

	if (dns_question_parse(message, &q) == DNS_QUESTION_OK && q.end)
		dns_question_serial(message, &q, &serial);
}

static void check_answer(const struct served *s, const uint8_t *data, size_t size,
	enum answer_transport transport, struct limits *limits)
{
	size_t room = transport == ANSWER_TCP ? ANSWER_SIZE_TCP : ANSWER_SIZE_UDP, n;
	uint8_t *out = malloc(room);
	struct answer_note note;
	struct answer_from from = {.transport = transport,
		.peer = ip4_of(0x7f000001),
		.now_s = WORLD_NOW,
		.identity = &identity,
		.limits = limits};

	n = answer(s, &from, slice_of(data, size), out, &note);
	CHECK(n <= room && note.rcode <= DNS_BADCOOKIE + (n == 0) * 255u);
	if (n)
		check_reply(data, out, n);
	check_serial(slice_of(data, size));
	if (!limits)
		check_both_ways(s, &from, slice_of(data, size), slice_of(out, n), &note);
	free(out);
}

/* Over the rate all the time; the other one over its quota, too. */
static const struct limits_setup rate_only = {
	.rate = 1, .slip = 1, .unlimited = &(struct prefixes){NULL, 0}};
static struct limits_setup quota = {
	.client = {1, 0}, .tell = true, .unlimited = &(struct prefixes){NULL, 0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	static struct limits *limits[2];

	if (!w.served) {
		world_init(&w, true);
		quota.quota = quota_new();
		limits[0] = limits_new(&rate_only);
		limits[1] = limits_new(&quota);
	}
	check_answer(w.served, data, size, ANSWER_UDP, NULL);
	check_answer(w.served, data, size, ANSWER_TCP, NULL);
	check_answer(w.served, data, size, ANSWER_UDP, limits[0]);
	check_answer(w.served, data, size, ANSWER_UDP, limits[1]);
	return 0;
}
