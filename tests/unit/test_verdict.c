/* test_verdict.c - from answers of lists to a verdict and its words. */
#include "test.h"

#include "base/attr.h"
#include "gated/verdict.h"

#include <stdio.h>

static struct config_gate_list configs[] = {
	{.zone = "bl.test", .weight = 10},
	{.zone = "weak.test", .weight = 4, .reply = "%z says: %t (you are $)"},
	{.zone = "codes.test", .weight = 1},
	{.zone = "wl.test", .kind = GATE_ALLOW, .weight = 7},
};
static struct verdict_list lists[ARRAY_LEN(configs)];
static struct config_gated gated = {.reject_at = 10, .defer_at = 8, .tag_at = 4};

static int setup(void **state)
{
	const char *codes[] = {"127.0.0.2*9", "127.0.0.[3..5]", "127.0.0.6*-6"};

	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		lists[i] = (struct verdict_list){.config = &configs[i]};
	assert_true(code_set_parse(codes, ARRAY_LEN(codes), &lists[2].codes, NULL));
	return 0;
}

static int teardown(void **state)
{
	code_set_done(&lists[2].codes);
	return 0;
}

/* One letter a list: '-' not asked, '.' clear, '?' outstanding, t timeout, e error code, l lying, r
 * refused, f failed, s suspended, digit: listed with 127.0.0.digit. */
static void answers_of(
	const char *text, struct dnsbl_answer storage[], struct verdict_answer answers[])
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct dnsbl_answer *a = &storage[i];
		char c = text[i];

		*a = (struct dnsbl_answer){.status = DNSBL_CLEAR};
		answers[i] = (struct verdict_answer){c != '-', c != '?', c == '?' ? NULL : a};
		if (c == 't')
			a->status = DNSBL_TIMEOUT;
		if (c == 'e')
			a->status = DNSBL_ERROR_CODE;
		if (c == 'l')
			a->status = DNSBL_LYING;
		if (c == 'r')
			a->status = DNSBL_REFUSED;
		if (c == 'f')
			a->status = DNSBL_FAILED;
		if (c == 's')
			a->status = DNSBL_SUSPENDED;
		if (strchr("elrfst", c)) {
			a->code_count = 1;
			a->codes[0] = c == 'l' ? 0x0a000002 : c == 'e' ? 0x7ffffffe : 0;
		}
		if (c >= '0' && c <= '9') {
			a->status = DNSBL_LISTED;
			a->code_count = 1;
			a->codes[0] = 0x7f000000 + (uint32_t)(c - '0');
			snprintf(a->text, sizeof a->text, "see https://l%zu.test/?q=192.0.2.1", i);
		}
	}
}

static void test_scores(void **state)
{
	static const struct {
		const char *answers;
		enum verdict_action action;
		long score;
		int decisive;
		unsigned silent;
		const char *lists;
	} cases[] = {
		{"....", VERDICT_ACCEPT, 0, -1, 0, ""},
		{"2...", VERDICT_REJECT, 10, 0, 0, "bl.test:10"},
		{"2..2", VERDICT_ACCEPT, 3, 0, 0, "bl.test:10 wl.test:-7"},
		{".2..", VERDICT_TAG, 4, 1, 0, "weak.test:4"},
		{"..2.", VERDICT_DEFER, 9, 2, 0, "codes.test:9"},
		{"..3.", VERDICT_ACCEPT, 1, 2, 0, "codes.test:1"},
		{"..7.", VERDICT_ACCEPT, 0, -1, 0, ""}, /* a code that does not count */
		{"..6.", VERDICT_ACCEPT, -6, -1, 0, "codes.test:-6"},
		{"2.6.", VERDICT_TAG, 4, 0, 0, "bl.test:10 codes.test:-6"},
		{".22.", VERDICT_REJECT, 13, 2, 0, "weak.test:4 codes.test:9"},
		{"1...", VERDICT_ACCEPT, 0, -1, 0, ""}, /* 127.0.0.1 counts only where named */
		/* what never is a hit */
		{"t...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"e...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"l...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"r...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"f...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"s...", VERDICT_ACCEPT, 0, -1, 1, ""},
		{"?...", VERDICT_ACCEPT, 0, -1, 0, ""},
		{"-...", VERDICT_ACCEPT, 0, -1, 0, ""},
		{"telt", VERDICT_ACCEPT, 0, -1, 4, ""},
	};
	struct dnsbl_answer storage[ARRAY_LEN(configs)];
	struct verdict_answer answers[ARRAY_LEN(configs)];
	struct ip client = ip4_of(0xc0000201);
	struct verdict v;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].answers);
		answers_of(cases[i].answers, storage, answers);
		verdict_judge(&gated, lists, answers, ARRAY_LEN(configs), &client, &v);
		assert_int_equal(v.action, cases[i].action);
		assert_int_equal(v.score, cases[i].score);
		assert_int_equal(v.decisive, cases[i].decisive);
		assert_int_equal(v.silent, cases[i].silent);
		assert_string_equal(v.lists, cases[i].lists);
	}
	answers_of("2...", storage, answers);
	verdict_judge(&gated, lists, answers, ARRAY_LEN(configs), &client, &v);
	assert_string_equal(v.reply, "550 5.7.1 Client host [192.0.2.1] blocked using bl.test; see "
				     "https://l0.test/?q=192.0.2.1");
	answers_of("..2.", storage, answers);
	verdict_judge(&gated, lists, answers, ARRAY_LEN(configs), &client, &v);
	assert_true(slice_starts(slice_str(v.reply), SLICE("451 4.7.1 Client host [192.0.2.1]")));
	answers_of(".2..", storage, answers);
	verdict_judge(&gated, lists, answers, ARRAY_LEN(configs), &client, &v);
	assert_string_equal(v.tag, "YES, score=4, lists=weak.test:4");
}

static void test_thresholds_off(void **state)
{
	struct config_gated off = {0};
	struct dnsbl_answer storage[ARRAY_LEN(configs)];
	struct verdict_answer answers[ARRAY_LEN(configs)];
	struct ip client = ip4_of(0xc0000201);
	struct verdict v;

	answers_of("2...", storage, answers);
	verdict_judge(&off, lists, answers, ARRAY_LEN(configs), &client, &v);
	assert_int_equal(v.action, VERDICT_ACCEPT);
	assert_true(verdict_is_settled(&off, lists, answers, ARRAY_LEN(configs)));
}

static void test_settled(void **state)
{
	static const struct {
		const char *answers;
		bool settled;
	} cases[] = {
		{"....", true},
		{"?...", false},
		{".?..", false}, /* may tag */
		{"2..?", false}, /* the allow list may save it */
		{"2?..", true},	 /* more of the same changes nothing */
		{"2.?.", false}, /* its code 6 takes 6 away */
		{"...?", true},	 /* an allow list takes away from nothing */
		{"22.?", false}, /* 14 - 7 tags */
		{"----", true},
		{"-..t", true},
	};
	struct dnsbl_answer storage[ARRAY_LEN(configs)];
	struct verdict_answer answers[ARRAY_LEN(configs)];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].answers);
		answers_of(cases[i].answers, storage, answers);
		assert_int_equal(verdict_is_settled(&gated, lists, answers, ARRAY_LEN(configs)),
			cases[i].settled);
	}
}

static void test_replies(void **state)
{
	char reply[VERDICT_REPLY_MAX + 1], reason[1000], url[500];

	verdict_reply("550 5.7.1", "%z says: %t (you are $, 100%) %t", "192.0.2.1", "z.test", "no",
		reply);
	assert_string_equal(reply, "550 5.7.1 z.test says: no (you are 192.0.2.1, 100%)");
	verdict_reply("550 5.7.1", "", "192.0.2.1", "z.test", "", reply);
	assert_string_equal(reply, "550 5.7.1 Client host [192.0.2.1] blocked using z.test");
	/* nobody gets a second line into our answer */
	verdict_reply("550 5.7.1", "", "192.0.2.1", "z.test", "a\r\n250 ok\n\x80", reply);
	assert_string_equal(
		reply, "550 5.7.1 Client host [192.0.2.1] blocked using z.test; a??250 ok??");

	/* long words before the URL: they are cut, the URL is not */
	memset(reason, 'w', 600);
	snprintf(reason + 600, sizeof reason - 600, " https://bl.test/why?ip=192.0.2.1");
	verdict_reply("550 5.7.1", "", "192.0.2.1", "z.test", reason, reply);
	assert_int_equal(strlen(reply), VERDICT_REPLY_MAX);
	assert_true(slice_ends_nocase(
		slice_str(reply), SLICE("www... https://bl.test/why?ip=192.0.2.1")));
	/* long words behind it */
	snprintf(reason, sizeof reason, "see https://bl.test/why ");
	memset(reason + 24, 'w', 600);
	reason[624] = 0;
	verdict_reply("550 5.7.1", "", "192.0.2.1", "z.test", reason, reply);
	assert_string_equal(reply,
		"550 5.7.1 Client host [192.0.2.1] blocked using z.test; see https://bl.test/why");
	/* a URL that is too long goes as a whole */
	memset(url, 'u', sizeof url);
	snprintf(reason, sizeof reason, "see http://%.400s", url);
	verdict_reply("550 5.7.1", "", "192.0.2.1", "z.test", reason, reply);
	assert_string_equal(reply, "550 5.7.1 Client host [192.0.2.1] blocked using z.test; see");
	/* a template of any length */
	memset(reason, '$', 999);
	reason[999] = 0;
	verdict_reply("451 4.7.1", reason, "192.0.2.1", "z.test", "x", reply);
	assert_int_equal(strlen(reply), VERDICT_REPLY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_thresholds_off),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_replies),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
