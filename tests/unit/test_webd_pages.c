/* test_webd_pages.c - requests taken apart, and pages made from canned answers of listd. */
#include "test.h"

#include "webd/page.h"

#include <stdio.h>

static const struct {
	const char *target, *path, *q; /* path NULL: refused */
	bool json;
} targets[] = {
	{"/", "/", "", false},
	{"/q?q=192.0.2.1", "/q", "192.0.2.1", false},
	{"/q.json?q=a", "/q", "a", true},
	{"/192.0.2.1.JSON", "/192.0.2.1", "", true},
	{"/q?q=a&format=json", "/q", "a", true},
	{"/q.json?q=a&format=html", "/q", "a", true},
	{"/a%20b", "/a b", "", false},
	{"/a+b", "/a+b", "", false},
	{"/%E9%96%A2", "/\xe9\x96\xa2", "", false},
	{"/.json", "/", "", true},
	{"", NULL, NULL, false},
	{"q", NULL, NULL, false},
	{"http://x/", NULL, NULL, false},
	{"*", NULL, NULL, false},
	{"/%00", NULL, NULL, false},
	{"/%ff", NULL, NULL, false},
	{"/%e", NULL, NULL, false},
	{"/?a=%", NULL, NULL, false},
};

static void test_target(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct slice text = exact(targets[i].target, strlen(targets[i].target));
		struct request r = {0};
		bool ok = request_parse_target(&r, text, NULL);

		if (ok != (targets[i].path != NULL))
			fail_msg("'%s' %s", targets[i].target, ok ? "accepted" : "refused");
		if (ok
			&& (!slice_eq(r.path, slice_str(targets[i].path))
				|| r.json != targets[i].json
				|| !slice_eq(form_value(&r.query, "q"), slice_str(targets[i].q))))
			fail_msg("'%s' gave path '%.*s'", targets[i].target, SLICE_FMT(r.path));
		request_done(&r);
		exact_free(text);
	}
}

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (text[0])
		assert_true(ip_parse(slice_str(text), &ip));
	return ip;
}

static void test_client(void **state)
{
	static const struct {
		const char *peer, *forwarded, *client;
	} cases[] = {
		{"203.0.113.1", "8.8.8.8", "203.0.113.1"},
		{"10.0.0.1", "8.8.8.8", "8.8.8.8"},
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "1.1.1.1, 8.8.8.8", "8.8.8.8"},
		{"10.0.0.1", "1.1.1.1,8.8.8.8,10.0.0.2", "8.8.8.8"},
		{"10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"},
		{"10.0.0.1", "8.8.8.8:1234", "8.8.8.8"},
		{"10.0.0.1", "[2001:db8::1]:1234", "2001:db8::1"},
		{"10.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1", "::ffff:8.8.8.8", "8.8.8.8"},
		{"10.0.0.1", "8.8.8.8, unknown", "10.0.0.1"},
		{"10.0.0.1", "8.8.8.8,", "10.0.0.1"},
		{"10.0.0.1", "]", "10.0.0.1"},
		{"10.0.0.1", "[", "10.0.0.1"},
		{"", "8.8.8.8", "8.8.8.8"},
		{"", "", ""},
	};
	struct prefix ten;
	struct prefixes trusted = {&ten, 1};

	assert_true(prefix_parse(SLICE("10.0.0.0/8"), &ten, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice header = exact(cases[i].forwarded, strlen(cases[i].forwarded));
		struct ip peer = ip_of(cases[i].peer), want = ip_of(cases[i].client);
		struct ip got = request_client(&peer, header, &trusted);

		if (!ip_eq(&got, &want))
			fail_msg("%s, '%s' gave %s", cases[i].peer, cases[i].forwarded,
				ip_text(&got).s);
		exact_free(header);
	}
}

static void test_ours(void **state)
{
	static const char base[] = "https://bl.example.net";
	static const struct {
		const char *origin, *referer, *host, *site;
		bool ours;
	} cases[] = {
		{"", "", "bl.example.net", "", true},
		{"https://bl.example.net", "", "", "", true},
		{"https://BL.example.net", "", "", "same-origin", true},
		{"https://bl.example.net.evil.example", "", "bl.example.net", "", false},
		{"https://evil.example", "https://bl.example.net/", "", "", false},
		{"null", "", "bl.example.net", "", false},
		{"http://localhost:8080", "", "localhost:8080", "", true},
		{"", "https://bl.example.net/q?q=1", "", "", true},
		{"", "https://evil.example/https://bl.example.net", "", "", false},
		{"https://bl.example.net", "", "", "cross-site", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request r = {.origin = slice_str(cases[i].origin),
			.referer = slice_str(cases[i].referer),
			.host = slice_str(cases[i].host),
			.fetch_site = slice_str(cases[i].site)};

		if (request_is_ours(&r, base) != cases[i].ours)
			fail_msg("case %zu: %s %s", i, cases[i].origin, cases[i].referer);
	}
}

static void test_query(void **state)
{
	static const struct {
		const char *text, *subject; /* NULL: refused */
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{" 192.0.2.1\n", "192.0.2.1"},
		{"192.0.2.1:25", "192.0.2.1"},
		{"[192.0.2.1]", "192.0.2.1"},
		{"[2001:db8::1]:25", "2001:db8::1"},
		{"[IPv6:2001:db8::1]", "2001:db8::1"},
		{"2001:DB8::1", "2001:db8::1"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"Mail.Example.COM.", "mail.example.com"},
		{"https://a.example.com:8443/x/y?z#w", "a.example.com"},
		{"http://user:pass@a.example.com/", "a.example.com"},
		{"https://[2001:db8::1]/", "2001:db8::1"},
		{"someone@example.com", "example.com"},
		{"", NULL},
		{" ", NULL},
		{"a b.example", NULL},
		{"localhost", NULL},
		{"ftp://example.com/", NULL},
		{"http://", NULL},
		{"@", NULL},
		{"[", NULL},
		{"[]", NULL},
		{":", NULL},
		{"192.0.2.1/8", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].text, strlen(cases[i].text));
		struct subject s = {0};
		bool ok = query_parse(text, &s, NULL);

		if (ok != (cases[i].subject != NULL)
			|| (ok && strcmp(s.text, cases[i].subject) != 0))
			fail_msg("'%s' gave '%s'", cases[i].text, ok ? s.text : "(refused)");
		exact_free(text);
	}
}

/* ---- pages ---- */

static struct config_list lists[] = {
	{.name = (char *)"trap",
		.zone = (char *)"bl.example",
		.title = (char *)"Trap & Co",
		.kind = LIST_IP,
		.code = 0x7f000002,
		.automatic = true,
		.threshold = 10,
		.window = 86400,
		.distinct_traps = 1,
		.ip6_prefix = 64,
		.lifetime = 86400,
		.lifetime_max = 32 * 86400,
		.leave = LEAVE_REQUEST,
		.leave_fcrdns = true,
		.leave_max = 3,
		.leave_period = 30 * 86400,
		.ttl = 300},
};
static struct config config = {.lists = lists, .list_count = 1};

#define NOW_MS 1790000000000

static struct page page_on(const struct site *site, struct request *request, const char *target,
	const char *accept_language)
{
	struct page p;

	*request = (struct request){.accept_language = slice_str(accept_language)};
	assert_true(request_parse_target(request, slice_str(target), NULL));
	page_init(&p, site, request, form_value(&request->query, "lang"), NOW_MS);
	return p;
}

static void test_lookup_page(void **state)
{
	static const char reply_text[] =
		"{\"ok\":true,\"listings\":[{\"list\":\"trap\","
		"\"subject\":\"192.0.2.1\",\"state\":\"active\","
		"\"code\":\"127.0.0.2\",\"since\":1789900000000,\"last\":"
		"1789900000000,\"expires\":1790086400000,"
		"\"relist\":1,\"removals\":0,\"text\":\"the "
		"TXT\",\"cause\":{\"code\":\"threshold\",\"weight\":12,\"window_s\":86400,"
		"\"traps\":2,\"threshold\":10,\"lifetime_s\":172800,\"relist\":1},"
		"\"evidence\":[{\"at\":1789900000000,"
		"\"kind\":\"trap-hit\",\"class\":\"spam\",\"subject_"
		"line\":\"<b>\",\"sample\":\"<i>'\\\"\"}]}],"
		"\"history\":[{\"at\":1789900000000,\"who\":\"admin:77\","
		"\"action\":\"listed\",\"list\":\"trap\","
		"\"subject\":\"192.0.2.1\",\"reason\":{\"code\":\"by-hand\",\"text\":\"<why>\"}}]}";
	struct fcrdns_result fcrdns = {.status = FCRDNS_NO_PTR};
	json_t *reply = json_loads(reply_text, 0, NULL);
	struct answer en = {0}, ja = {0}, json = {0};
	struct request request;
	struct subject asked;
	struct site site;
	struct page p;
	struct err err;

	assert_non_null(reply);
	assert_true(site_open(&site, &config, &err));
	assert_true(query_parse(SLICE("192.0.2.1"), &asked, &err));
	p = page_on(&site, &request, "/192.0.2.1", "");
	page_answer(&p, 200, "lookup", json_string("t"),
		view_lookup(&p.view, &asked, reply, &fcrdns), &en);
	request_done(&request);
	assert_int_equal(en.status, 200);
	assert_non_null(strstr(buf_str(&en.body), "Trap &amp; Co"));
	assert_non_null(strstr(buf_str(&en.body), "&lt;b&gt;"));
	assert_non_null(strstr(buf_str(&en.body), "&lt;i&gt;&#39;&quot;"));
	assert_non_null(strstr(buf_str(&en.body), "192.0.2.1 has no PTR record"));
	assert_non_null(strstr(buf_str(&en.body), "in 24 hours"));
	assert_null(strstr(buf_str(&en.body), "admin:77"));
	assert_non_null(strstr(buf_str(&en.body),
		"<dd class=\"reason\">Evidence of weight 12 from 2 traps within 1 day reached the "
		"threshold of 10. Listed again, for 2 days.</dd>"));
	assert_non_null(strstr(buf_str(&en.body), "<span class=\"reason\">Words of the operator: "
						  "<bdi lang=\"\">&lt;why&gt;</bdi></span>"));
	p = page_on(&site, &request, "/192.0.2.1", "ja");
	page_answer(&p, 200, "lookup", json_string("t"),
		view_lookup(&p.view, &asked, reply, &fcrdns), &ja);
	request_done(&request);
	assert_non_null(strstr(buf_str(&ja.body), "192.0.2.1 には PTR レコードがありません。"));
	assert_non_null(strstr(buf_str(&ja.body), "24時間後"));
	assert_non_null(strstr(buf_str(&ja.body),
		"<dd class=\"reason\">1日以内に 2 か所のスパムトラップから届いた証拠の重みの合計が "
		"12 "
		"になり、基準値の 10 に達しました。再掲載で、掲載期間は2日です。</dd>"));
	assert_non_null(strstr(buf_str(&ja.body),
		"<span class=\"reason\">運営者の記載： <bdi lang=\"\">&lt;why&gt;</bdi></span>"));
	p = page_on(&site, &request, "/192.0.2.1.json", "");
	page_answer(&p, 200, "lookup", json_string("t"),
		view_lookup(&p.view, &asked, reply, &fcrdns), &json);
	request_done(&request);
	assert_non_null(strstr(buf_str(&json.body), "\"open\": false"));
	assert_null(strstr(buf_str(&json.body), "\"_"));
	assert_null(strstr(buf_str(&json.body), "token"));
	buf_done(&en.body);
	buf_done(&ja.body);
	buf_done(&json.body);
	json_decref(reply);
	site_close(&site);
}

/* Every code of docs/messages.md in both languages. */
static void test_reasons(void **state)
{
	static const struct {
		const char *reason, *en, *ja;
	} cases[] = {
		{"{\"code\":\"threshold\",\"weight\":10,\"window_s\":86400,\"traps\":1,"
		 "\"threshold\":10,\"lifetime_s\":86400,\"relist\":0}",
			"Evidence of weight 10 within 1 day reached the threshold of 10. Listed "
			"for "
			"1 day.",
			"1日以内に届いた証拠の重みの合計が 10 になり、基準値の 10 に達しました。"
			"掲載期間は1日です。"},
		{"{\"code\":\"more-evidence\",\"lifetime_s\":86400}",
			"New evidence came in, so the listing was set to last 1 day from then on.",
			"新しい証拠があったため、掲載期間をその時点から1日に延ばしました。"},
		{"{\"code\":\"expired\"}", "Its time was over.", "掲載期間が終わりました。"},
		{"{\"code\":\"asked\",\"host\":\"\"}",
			"Removal was asked for, and every condition of the list was met.",
			"解除の申請があり、このリストの条件をすべて満たしていました。"},
		{"{\"code\":\"asked\",\"host\":\"a.b.org\"}",
			"Removal was asked for, and every condition of the list was met. Reverse "
			"and "
			"forward DNS matched: a.b.org.",
			"解除の申請があり、このリストの条件をすべて満たしていました。"
			"逆引きと正引きは a.b.org で一致していました。"},
		{"{\"code\":\"by-hand\",\"text\":\"x\"}",
			"Words of the operator:", "運営者の記載："},
		{"{\"code\":\"feed\",\"feed\":\"f\"}", "Taken from the feed f.",
			"フィード f から取り込みました。"},
		{"{\"code\":\"too-wide\",\"widest\":8}", "It is never listed: it is wider than /8.",
			"/8 より広い範囲であるため、掲載の対象になりません。"},
		{"{\"code\":\"special-range\"}",
			"It is never listed: it is special-purpose address space (RFC 6890).",
			"特殊用途のアドレス空間（RFC 6890）であるため、掲載の対象になりません。"},
		{"{\"code\":\"reserved-name\",\"entry\":\"test\"}",
			"It is never listed: test is a reserved name (RFC 2606, RFC 6761).",
			"test は予約された名前（RFC 2606、RFC "
			"6761）であるため、掲載の対象になりません。"},
		{"{\"code\":\"protected\",\"entry\":\"9.9.9.0/24\"}",
			"It is never listed: the configuration protects 9.9.9.0/24.",
			"9.9.9.0/24 は設定で保護されているため、掲載の対象になりません。"},
		{"{\"code\":\"public-suffix\"}",
			"It is never listed: it is a public suffix, under which strangers register "
			"names.",
			"第三者がその下に名前を登録できるパブリックサフィックスであるため、"
			"掲載の対象になりません。"},
		{"{\"code\":\"words\",\"text\":\"as it was\"}", "", ""},
		{"{\"code\":\"of-tomorrow\",\"x\":{}}", "of-tomorrow", "of-tomorrow"},
		{"{\"code\":\"more-evidence\",\"lifetime_s\":-9223372036854775807}",
			"New evidence came in, so the listing was set to last 0 seconds from then "
			"on.",
			"新しい証拠があったため、掲載期間をその時点から0秒に延ばしました。"},
	};
	struct site site;
	struct err err;

	assert_true(site_open(&site, &config, &err));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *reason = json_loads(cases[i].reason, 0, NULL);

		assert_non_null(reason);
		for (int ja = 0; ja < 2; ja++) {
			struct request request;
			struct page p = page_on(&site, &request, "/", ja ? "ja" : "");
			json_t *view = view_reason(&p.view, reason);

			assert_string_equal(json_string_value(json_object_get(view, "words")),
				ja ? cases[i].ja : cases[i].en);
			assert_string_equal(json_string_value(json_object_get(view, "code")),
				json_string_value(json_object_get(reason, "code")));
			json_decref(view);
			request_done(&request);
		}
		json_decref(reason);
	}
	site_close(&site);
}

static void test_odd_replies(void **state)
{
	/* listd is ours, but a page must stand whatever comes. */
	static const char *const replies[] = {
		"{}",
		"{\"listings\":null,\"history\":7}",
		"{\"listings\":[null,7,\"x\",{},{\"state\":\"active\"},{\"list\":\"gone\","
		"\"state\":\"active\"}]}",
		"{\"listings\":[{\"list\":\"trap\",\"state\":\"active\",\"subject\":7,\"since\":"
		"\"x\",\"code\":2130706434,"
		"\"evidence\":[null,{},7]}],\"history\":[null,{\"list\":\"trap\"}]}",
		"{\"listings\":[{\"list\":\"trap\",\"state\":\"active\",\"subject\":\"192.0.2.0/"
		"24\",\"since\":-5,"
		"\"cause\":\"words\",\"expires\":9223372036854775807,\"last\":-9223372036854775807,"
		"\"relist\":-1}]}",
	};
	struct site site;
	struct subject asked;
	struct err err;

	assert_true(site_open(&site, &config, &err));
	assert_true(query_parse(SLICE("192.0.2.1"), &asked, &err));
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		json_t *reply = json_loads(replies[i], 0, NULL);
		struct answer answer = {0};
		struct request request;
		struct page p = page_on(&site, &request, "/192.0.2.1", "ja");
		struct ip ip;

		assert_non_null(reply);
		lookup_wants_fcrdns(&config, &asked, reply, &ip);
		page_answer(&p, 200, "lookup", json_string("t"),
			view_lookup(&p.view, &asked, reply, NULL), &answer);
		assert_int_equal(answer.status, 200);
		assert_non_null(strstr(buf_str(&answer.body), "</html>"));
		buf_done(&answer.body);
		request_done(&request);
		json_decref(reply);
	}
	site_close(&site);
}

static void test_spans(void **state)
{
	static const struct language en = {.tag = "en"};
	static const struct {
		int64_t seconds;
		const char *words;
	} cases[] = {
		{0, "0 seconds"},
		{1, "1 second"},
		{60, "1 minute"},
		{61, "1 minute 1 second"},
		{86400, "1 day"},
		{129600, "1 day 12 hours"},
		{86401, "1 day"},
		{32 * 86400, "32 days"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *words = say_span_words(&en, cases[i].seconds);

		assert_string_equal(json_string_value(words), cases[i].words);
		json_decref(words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_lookup_page),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_odd_replies),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
