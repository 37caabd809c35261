/* test_resolve.c - the resolver against a small name server of our own in the same loop: answers,
 * silence, lies, TCP, one question for many who ask, the cache, the breaker; and on top of it list
 * questions and forward-confirmed reverse DNS. */
#include "test.h"

#include "base/attr.h"
#include "dns/wire.h"
#include "io/clock.h"
#include "io/socket.h"
#include "io/stream.h"
#include "resolve/cache.h"
#include "resolve/dnsbl.h"
#include "resolve/fcrdns.h"
#include "resolve/servers.h"

#include <stdio.h>
#include <unistd.h>

/* ---- the name server ---- */

static struct loop *loop;
static int server_fd = -1, tcp_fd = -1;
static struct loop_watch *server_watch, *tcp_watch;
static char server_text[64];
static unsigned udp_seen, tcp_seen;
static uint16_t last_ports[64];

/* name and type: what is said. "drop N" is silent N times first. */
static const struct zone_line {
	const char *name;
	uint16_t type;
	const char *says;
} zone[] = {
	{"good.test", DNS_A, "127.0.0.2"},
	{"two.test", DNS_A, "127.0.0.4 127.0.0.2"},
	{"late.test", DNS_A, "drop1 127.0.0.2"},
	{"nothing.test", DNS_A, "nodata"},
	{"refused.test", DNS_A, "refused"},
	{"servfail.test", DNS_A, "servfail"},
	{"old.test", DNS_A, "noedns 127.0.0.2"},
	{"long.test", DNS_A, "tc 127.0.0.7"},
	{"forged.test", DNS_A, "forge 127.0.0.2"},
	{"silent.test", DNS_A, "drop9"},
	{"2.0.0.127.bl.test", DNS_A, "127.0.0.2"},
	{"2.0.0.127.bl.test", DNS_TXT, "text"},
	{"3.0.0.127.bl.test", DNS_A, "127.255.255.254"},
	{"4.0.0.127.bl.test", DNS_A, "10.1.2.3 127.0.0.2"},
	{"5.0.0.127.bl.test", DNS_A, "127.0.0.9 127.255.255.252 127.0.0.3"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "name"},
	{"mx.good.test", DNS_A, "192.0.2.1"},
	{"2.2.0.192.in-addr.arpa", DNS_PTR, "name"},
	{"3.2.0.192.in-addr.arpa", DNS_PTR, "servfail"},
};
static unsigned dropped[ARRAY_LEN(zone)];

static size_t reply_start(const uint8_t *query, size_t len, uint8_t *dst, uint16_t flags)
{
	size_t end = dns_name_skip(slice_of(query, len), DNS_HEADER_SIZE) + 4;

	memcpy(dst, query, end);
	memset(dst + 4, 0, 8);
	dst[5] = 1;
	dns_put_u16(dst + 2, (uint16_t)(DNS_QR | DNS_AA | flags));
	return end;
}

static size_t reply_record(uint8_t *dst, size_t at, uint16_t type, const void *rdata, size_t len)
{
	dns_put_u16(dst + at, 0xc00c);
	dns_put_u16(dst + at + 2, type);
	dns_put_u16(dst + at + 4, DNS_IN);
	dns_put_u32(dst + at + 6, 300);
	dns_put_u16(dst + at + 10, (uint16_t)len);
	memcpy(dst + at + 12, rdata, len);
	dst[7]++;
	return at + 12 + len;
}

/* 0: says nothing */
static size_t server_answer(const uint8_t *query, size_t len, bool tcp, uint8_t dst[1500])
{
	struct domain name;
	size_t at = dns_name_read(slice_of(query, len), DNS_HEADER_SIZE, &name), end;
	uint16_t type = dns_u16(query + at);
	struct slice says, word;
	size_t i = 0;

	while (i < ARRAY_LEN(zone)
		&& (strcmp(zone[i].name, domain_text(&name).s) != 0 || zone[i].type != type))
		i++;
	if (i == ARRAY_LEN(zone))
		return reply_start(query, len, dst, DNS_NXDOMAIN);
	says = slice_str(zone[i].says);
	end = reply_start(query, len, dst, 0);
	while (slice_cut_word(&says, &word)) {
		struct ip ip;

		if (slice_starts(word, SLICE("drop")) && dropped[i]++ < (unsigned)word.ptr[4] - '0')
			return 0;
		if (slice_eq(word, SLICE("refused")))
			return reply_start(query, len, dst, DNS_REFUSED);
		if (slice_eq(word, SLICE("servfail")))
			return reply_start(query, len, dst, DNS_SERVFAIL);
		if (slice_eq(word, SLICE("noedns")) && query[11])
			return reply_start(query, len, dst, DNS_FORMERR);
		if (slice_eq(word, SLICE("tc")) && !tcp)
			return reply_start(query, len, dst, DNS_TC);
		if (slice_eq(word, SLICE("text")))
			end = reply_record(dst, end, type, "\x0dsee\tthis\n\x80url", 14);
		if (slice_eq(word, SLICE("name")))
			end = reply_record(dst, end, type, "\2mx\4good\4test", 14);
		if (ip_parse(word, &ip))
			end = reply_record(dst, end, type, ip.bytes, 4);
	}
	return end;
}

static void server_readable(void *ctx, int fd, unsigned events)
{
	uint8_t query[1500], reply[1500];
	struct socket_address from = {.len = sizeof from.storage};
	ssize_t n = recvfrom(
		fd, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from.storage, &from.len);
	size_t len;

	if (n < DNS_HEADER_SIZE)
		return;
	socket_address_ip(&from, &last_ports[udp_seen++ % 64]);
	if (slice_find_nocase(slice_of(query, (size_t)n), SLICE("forged")) < (size_t)n) {
		/* another id, then another question under the right id */
		len = server_answer(query, (size_t)n, false, reply);
		reply[0] ^= 1;
		reply[len - 1] = 66;
		sendto(fd, reply, len, 0, (struct sockaddr *)&from.storage, from.len);
		reply[0] ^= 1;
		reply[DNS_HEADER_SIZE + 1] = 'x';
		sendto(fd, reply, len, 0, (struct sockaddr *)&from.storage, from.len);
	}
	len = server_answer(query, (size_t)n, false, reply);
	if (len)
		sendto(fd, reply, len, 0, (struct sockaddr *)&from.storage, from.len);
}

/* One question a connection, read at once: it is all in one segment on loopback. */
static void server_accept(void *ctx, int fd, unsigned events)
{
	uint8_t query[1500], reply[1502];
	struct socket_address peer;
	int c = socket_accept(fd, &peer);
	size_t len;
	ssize_t n;

	for (int i = 0; i < 100 && (n = recv(c, query, sizeof query, 0)) < 0; i++)
		usleep(1000);
	assert_true(n > 2);
	tcp_seen++;
	len = server_answer(query + 2, (size_t)n - 2, true, reply + 2);
	dns_put_u16(reply, (uint16_t)len);
	assert_int_equal(send(c, reply, len + 2, 0), len + 2);
	close(c);
}

static int setup(void **state)
{
	struct socket_address a;
	uint16_t port;

	loop = loop_new();
	assert_true(socket_address_parse(SLICE("127.0.0.1:0"), &a, NULL));
	for (int i = 0; i < 20 && server_fd < 0;
		i++) { /* a port free for TCP may be taken for UDP */
		struct socket_address both = a;

		if (tcp_fd >= 0)
			close(tcp_fd);
		tcp_fd = socket_listen(&both, NULL);
		assert_true(socket_local(tcp_fd, &both));
		socket_address_ip(&both, &port);
		server_fd = socket_bind_udp(&both, false, NULL);
	}
	assert_true(server_fd >= 0);
	snprintf(server_text, sizeof server_text, "127.0.0.1:%u", port);
	server_watch = loop_watch_new(loop, server_fd, LOOP_READ, server_readable, NULL);
	tcp_watch = loop_watch_new(loop, tcp_fd, LOOP_READ, server_accept, NULL);
	return 0;
}

static int teardown(void **state)
{
	loop_watch_free(server_watch);
	loop_watch_free(tcp_watch);
	close(server_fd);
	close(tcp_fd);
	loop_free(loop);
	return 0;
}

/* ---- a client that waits ---- */

struct seen {
	int calls, want;
	enum resolve_status status;
	size_t count;
	char first[64];
	int64_t at_ms;
};

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	struct seen *s = ctx;

	s->calls++;
	s->status = answer->status;
	s->count = answer->count;
	s->first[0] = 0;
	s->at_ms = clock_mono_ms();
	if (answer->count > 0 && answer->records[0].len == 4) {
		struct ip ip = {.family = 4};

		memcpy(ip.bytes, answer->records[0].ptr, 4);
		snprintf(s->first, sizeof s->first, "%s", ip_text(&ip).s);
	}
	if (s->calls == s->want)
		loop_stop(loop);
}

static struct lookup *start(struct upstream *u, const char *name, int timeout_ms, struct seen *s)
{
	struct domain d;

	assert_true(domain_parse(slice_str(name), &d, NULL));
	return lookup_start(u, &d, RESOLVE_A, timeout_ms, on_answer, s);
}

static struct seen ask(struct upstream *u, const char *name, int timeout_ms)
{
	struct seen s = {.want = 1};

	start(u, name, timeout_ms, &s);
	assert_int_equal(s.calls, 0); /* never from inside the call */
	loop_run(loop);
	assert_int_equal(s.calls, 1);
	return s;
}

static struct upstream *upstream(struct resolver **ret)
{
	const char *servers[] = {server_text};
	struct err err;
	struct upstream *u;

	memset(dropped, 0, sizeof dropped);
	udp_seen = tcp_seen = 0;
	*ret = resolver_new(loop, NULL);
	u = upstream_new(*ret, servers, 1, &err);
	assert_non_null(u);
	return u;
}

static void test_answers(void **state)
{
	static const struct {
		const char *name;
		enum resolve_status status;
		size_t count;
		const char *first;
	} cases[] = {
		{"good.test", RESOLVE_ANSWER, 1, "127.0.0.2"},
		{"GOOD.test", RESOLVE_ANSWER, 1, "127.0.0.2"},
		{"two.test", RESOLVE_ANSWER, 2, "127.0.0.4"},
		{"late.test", RESOLVE_ANSWER, 1, "127.0.0.2"},
		{"none.test", RESOLVE_NXDOMAIN, 0, ""},
		{"nothing.test", RESOLVE_NODATA, 0, ""},
		{"refused.test", RESOLVE_REFUSED, 0, ""},
		{"servfail.test", RESOLVE_FAILED, 0, ""},
		{"old.test", RESOLVE_ANSWER, 1, "127.0.0.2"},
		{"long.test", RESOLVE_ANSWER, 1, "127.0.0.7"},
		{"forged.test", RESOLVE_ANSWER, 1, "127.0.0.2"},
		{"silent.test", RESOLVE_TIMEOUT, 0, ""},
	};
	struct resolver *r;
	struct upstream *u = upstream(&r);

	/* twice: the second time from the cache, with the same result */
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		size_t k = i % ARRAY_LEN(cases);
		struct seen s = ask(u, cases[k].name, 600);

		print_message("%s\n", cases[k].name);
		assert_int_equal(s.status, cases[k].status);
		assert_int_equal(s.count, cases[k].count);
		assert_string_equal(s.first, cases[k].first);
	}
	assert_int_equal(tcp_seen, 1);
	assert_true(resolver_stats(r)->mismatched >= 2);
	/* the second good, and the second round but the silent one, which joined its open question */
	assert_int_equal(resolver_stats(r)->cached, 1 + ARRAY_LEN(cases) - 1);
	assert_int_equal(resolver_stats(r)->joined, 1);
	resolver_free(r);
}

static void test_many_ask_the_same(void **state)
{
	struct seen s = {.want = 50}, none = {0};
	struct resolver *r;
	struct upstream *u = upstream(&r);

	for (int i = 0; i < 50; i++)
		start(u, "good.test", 1000, &s);
	/* one who no longer wants to know */
	lookup_cancel(start(u, "good.test", 1000, &none));
	loop_run(loop);
	assert_int_equal(s.calls, 50);
	assert_int_equal(s.status, RESOLVE_ANSWER);
	assert_int_equal(none.calls, 0);
	assert_int_equal(udp_seen, 1);
	lookup_cancel(start(u, "good.test", 1000, &none)); /* known and not yet told */
	start(u, "good.test", 1000, &none);
	resolver_free(r); /* open ones are dropped */
	assert_int_equal(none.calls, 0);
}

static void test_many_names(void **state)
{
	struct seen s = {.want = 900};
	struct resolver *r;
	struct upstream *u = upstream(&r);
	char name[32];
	unsigned different = 0;

	/* more than may be in flight: they wait in line, and none is lost */
	for (int i = 0; i < 900; i++) {
		snprintf(name, sizeof name, "n%d.test", i);
		start(u, name, 5000, &s);
	}
	loop_run(loop);
	assert_int_equal(s.calls, 900);
	assert_int_equal(s.status, RESOLVE_NXDOMAIN);
	for (unsigned i = 1; i < 64; i++)
		different += last_ports[i] != last_ports[i - 1];
	assert_true(different > 30);
	resolver_free(r);
}

static void test_breaker(void **state)
{
	struct resolver *r;
	struct upstream *u = upstream(&r);
	struct seen s;
	int64_t start_ms;
	char name[32];
	struct loop_timer *t;

	/* a port where nobody answers, ever */
	struct socket_address a;
	const char *dead[] = {server_text};
	char dead_text[128];
	int fd;

	assert_true(socket_address_parse(SLICE("127.0.0.1:0"), &a, NULL));
	fd = socket_bind_udp(&a, false, NULL);
	assert_true(socket_local(fd, &a));
	snprintf(dead_text, sizeof dead_text, "%s", socket_address_text(&a).s);
	dead[0] = dead_text;
	u = upstream_new(r, dead, 1, NULL);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "s%d.test", i);
		assert_int_equal(ask(u, name, 100).status, RESOLVE_TIMEOUT);
	}
	/* the last questions are given up a second later */
	t = loop_timer_new(loop, (loop_fn *)loop_stop, loop);
	loop_timer_set(t, 1100);
	loop_run(loop);
	loop_timer_free(t);
	start_ms = clock_mono_ms();
	s = ask(u, "s6.test", 5000);
	assert_int_equal(s.status, RESOLVE_SUSPENDED);
	assert_true(s.at_ms - start_ms < 500);
	close(fd);

	/* nobody listens there at all: told at once */
	u = upstream_new(r, dead, 1, NULL);
	start_ms = clock_mono_ms();
	s = ask(u, "s7.test", 5000);
	assert_int_equal(s.status, RESOLVE_FAILED);
	assert_true(s.at_ms - start_ms < 500);
	/* ... and the second server is asked instead */
	const char *both[] = {dead_text, server_text};

	u = upstream_new(r, both, 2, NULL);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "b%d.test", i);
		assert_int_equal(ask(u, name, 5000).status, RESOLVE_NXDOMAIN);
	}
	resolver_free(r);
}

/* ---- lists ---- */

static struct dnsbl_answer list_seen;

static void on_list(void *ctx, const struct dnsbl_answer *answer)
{
	list_seen = *answer;
	loop_stop(loop);
}

static void test_lists(void **state)
{
	static const struct {
		const char *ip;
		enum dnsbl_status status;
		size_t count;
		const char *text;
	} cases[] = {
		{"127.0.0.2", DNSBL_LISTED, 1, "see this ?url"},
		{"127.0.0.1", DNSBL_CLEAR, 0, ""},
		{"127.0.0.3", DNSBL_ERROR_CODE, 1, ""},
		{"127.0.0.4", DNSBL_LYING, 2, ""},
		{"127.0.0.5", DNSBL_LISTED, 1, ""},
		{"2001:db8::1", DNSBL_CLEAR, 0, ""},
	};
	const char *error_texts[] = {"127.0.0.9"};
	struct code_set errors;
	struct resolver *r;
	struct dnsbl_list list = {.upstream = upstream(&r), .error_codes = &errors};
	struct domain name;
	struct ip ip;

	assert_true(code_set_parse(error_texts, 1, &errors, NULL));
	assert_true(domain_parse(SLICE("bl.test"), &list.zone, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].ip);
		assert_true(ip_parse(slice_str(cases[i].ip), &ip));
		assert_true(dnsbl_name_of_ip(&ip, &list.zone, &name));
		dnsbl_start(&list, &name, 1000, on_list, NULL);
		loop_run(loop);
		assert_int_equal(list_seen.status, cases[i].status);
		assert_int_equal(list_seen.code_count, cases[i].count);
		assert_string_equal(list_seen.text, cases[i].text);
	}
	code_set_done(&errors);
	dnsbl_cancel(dnsbl_start(&list, &name, 1000, on_list, NULL));
	resolver_free(r);
}

static struct fcrdns_result fcrdns_seen;

static void on_fcrdns(void *ctx, const struct fcrdns_result *result)
{
	fcrdns_seen = *result;
	loop_stop(loop);
}

static void test_fcrdns(void **state)
{
	static const struct {
		const char *ip;
		enum fcrdns_status status;
		const char *name, *why;
	} cases[] = {
		{"192.0.2.1", FCRDNS_OK, "mx.good.test",
			"192.0.2.1 has the name mx.good.test, and that name leads back to it"},
		{"192.0.2.2", FCRDNS_NO_MATCH, "mx.good.test",
			"192.0.2.2 has the name mx.good.test, but that name does not lead back to "
			"192.0.2.2"},
		{"192.0.2.3", FCRDNS_UNKNOWN, NULL,
			"the name of 192.0.2.3 could not be looked up just now: failed"},
		{"192.0.2.4", FCRDNS_NO_PTR, NULL,
			"192.0.2.4 has no name in the reverse DNS (PTR)"},
		{"2001:db8::4", FCRDNS_NO_PTR, NULL,
			"2001:db8::4 has no name in the reverse DNS (PTR)"},
	};
	struct resolver *r;
	struct upstream *u = upstream(&r);
	struct ip ip;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(ip_parse(slice_str(cases[i].ip), &ip));
		fcrdns_start(u, &ip, 1000, on_fcrdns, NULL);
		loop_run(loop);
		assert_int_equal(fcrdns_seen.status, cases[i].status);
		assert_string_equal(fcrdns_seen.why, cases[i].why);
		if (cases[i].name)
			assert_string_equal(domain_text(&fcrdns_seen.name).s, cases[i].name);
	}
	fcrdns_cancel(fcrdns_start(u, &ip, 1000, on_fcrdns, NULL));
	resolver_free(r);
}

/* ---- pure parts ---- */

static void test_cache(void **state)
{
	static const uint8_t secret[16] = {1, 2, 3};
	struct cache *c = cache_new(3, secret);
	struct domain names[5];
	const struct slice record = SLICE("\x7f\0\0\2");
	struct resolve_answer a = {.ttl_s = 10, .count = 1, .records = &record}, found;
	char text[16];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "n%d.test", i);
		assert_true(domain_parse(slice_str(text), &names[i], NULL));
	}
	struct cache_key key = {1, RESOLVE_A, &names[0]};

	assert_false(cache_find(c, &key, 0, &found));
	cache_put(c, &key, &a, 0);
	assert_true(cache_find(c, &key, 9999, &found));
	assert_int_equal(found.ttl_s, 1);
	assert_true(slice_eq(found.records[0], record));
	/* another server, another type: something else */
	assert_false(cache_find(c, &(struct cache_key){2, RESOLVE_A, &names[0]}, 0, &found));
	assert_false(cache_find(c, &(struct cache_key){1, RESOLVE_TXT, &names[0]}, 0, &found));
	assert_false(cache_find(c, &key, 10000, &found)); /* over */
	assert_int_equal(cache_count(c), 0);
	for (int i = 0; i < 3; i++)
		cache_put(c, &(struct cache_key){1, RESOLVE_A, &names[i]}, &a, 0);
	assert_true(cache_find(c, &key, 1, &found)); /* used: the next one makes room */
	cache_put(c, &(struct cache_key){1, RESOLVE_A, &names[3]}, &a, 0);
	assert_int_equal(cache_count(c), 3);
	assert_true(cache_find(c, &key, 1, &found));
	assert_false(cache_find(c, &(struct cache_key){1, RESOLVE_A, &names[1]}, 1, &found));
	a.ttl_s = 0; /* takes the old one away */
	cache_put(c, &key, &a, 0);
	assert_false(cache_find(c, &key, 1, &found));
	cache_free(c);
}

static void test_servers(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1:53"},
		{"127.0.0.1:5353", "127.0.0.1:5353"},
		{"::1", "[::1]:53"},
		{"[::1]:5353", "[::1]:5353"},
		{"localhost", NULL},
		{"127.0.0.1:0", NULL},
		{"unix:/x", NULL},
		{"", NULL},
	};
	struct socket_address a, list[2];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = server_parse(slice_str(cases[i].text), &a, NULL);

		assert_int_equal(good, cases[i].means != NULL);
		if (good)
			assert_string_equal(socket_address_text(&a).s, cases[i].means);
	}
	assert_int_equal(servers_of_resolv_conf(SLICE("# nameserver 9.9.9.9\nsearch x\n"
						      "nameserver fe80::1%eth0\n"
						      "nameserver 127.0.0.1\nnameserver ::1\n"
						      "nameserver 127.0.0.3"),
				 list, 2),
		2);
	assert_string_equal(socket_address_text(&list[1]).s, "[::1]:53");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_many_ask_the_same),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_fcrdns),
		cmocka_unit_test(test_breaker),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
