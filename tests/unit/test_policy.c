/* test_policy.c - the policy's tables: what lists, for how long, and what lets go. */
#include "test.h"

#include "ledger/policy.h"

#define HOUR ((int64_t)3600)
#define DAY (24 * HOUR)
#define NOW ((int64_t)1800000000000)

static struct config_list list_plain(void)
{
	return (struct config_list){.name = "bl",
		.kind = LIST_IP,
		.automatic = true,
		.threshold = 3,
		.window = DAY,
		.distinct_traps = 2,
		.ip6_prefix = 64,
		.lifetime = 2 * DAY,
		.lifetime_max = 16 * DAY,
		.leave = LEAVE_REQUEST,
		.leave_fcrdns = true,
		.leave_quiet = 12 * HOUR,
		.leave_max = 2,
		.leave_period = 30 * DAY};
}

static void evidence_lists(void **state)
{
	static const struct {
		const char *label;
		struct policy_past past;
		struct policy_sum sum;
		enum policy_verdict verdict;
		unsigned relist;
		int64_t lifetime_s;
	} cases[] = {
		{"nothing", {0}, {0, 0}, POLICY_NOTHING, 0, 0},
		{"below the threshold", {0}, {2, 2}, POLICY_NOTHING, 0, 0},
		{"one trap is not enough", {0}, {9, 1}, POLICY_NOTHING, 0, 0},
		{"reached", {0}, {3, 2}, POLICY_LIST, 0, 2 * DAY},
		{"second time, twice as long",
			{.listed_before = true, .ended_ms = NOW - DAY * 1000}, {3, 2}, POLICY_LIST,
			1, 4 * DAY},
		{"third time", {.listed_before = true, .ended_ms = NOW - 1, .relist = 1}, {3, 2},
			POLICY_LIST, 2, 8 * DAY},
		{"never longer than the maximum",
			{.listed_before = true, .ended_ms = NOW - 1, .relist = 40}, {3, 2},
			POLICY_LIST, 41, 16 * DAY},
		{"clean for the maximum: forgotten",
			{.listed_before = true, .ended_ms = NOW - 16 * DAY * 1000, .relist = 5},
			{3, 2}, POLICY_LIST, 0, 2 * DAY},
		{"one millisecond less is not",
			{.listed_before = true, .ended_ms = NOW - 16 * DAY * 1000 + 1, .relist = 5},
			{3, 2}, POLICY_LIST, 6, 16 * DAY},
		{"active: one is enough to renew",
			{.listed_before = true, .active = true, .expires_ms = NOW + HOUR * 1000},
			{1, 1}, POLICY_RENEW, 0, 2 * DAY},
		{"active, fresh: not worth a change",
			{.listed_before = true,
				.active = true,
				.expires_ms = NOW + 2 * DAY * 1000 - 60000},
			{1, 1}, POLICY_NOTHING, 0, 0},
		{"by hand without an end: stays so",
			{.listed_before = true, .active = true, .expires_ms = 0}, {5, 5},
			POLICY_NOTHING, 0, 0},
	};
	struct config_list list = list_plain();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_decision d;

		print_message("  %s\n", cases[i].label);
		policy_judge(&list, &cases[i].past, &cases[i].sum, NOW, &d);
		assert_int_equal(d.verdict, cases[i].verdict);
		if (d.verdict == POLICY_NOTHING)
			continue;
		assert_int_equal(d.relist, cases[i].relist);
		assert_int_equal(d.expires_ms, NOW + cases[i].lifetime_s * 1000);
		assert_int_equal(d.reason.lifetime_s, cases[i].lifetime_s);
		assert_int_equal(d.reason.code,
			d.verdict == POLICY_LIST ? REASON_THRESHOLD : REASON_MORE_EVIDENCE);
		if (d.verdict != POLICY_LIST)
			continue;
		assert_int_equal(d.reason.weight, cases[i].sum.weight);
		assert_int_equal(d.reason.traps, cases[i].sum.traps);
		assert_int_equal(d.reason.window_s, list.window);
		assert_int_equal(d.reason.threshold, list.threshold);
		assert_int_equal(d.reason.relist, cases[i].relist);
	}
	list.automatic = false;
	struct policy_decision d;
	policy_judge(&list, &(struct policy_past){0}, &(struct policy_sum){99, 99}, NOW, &d);
	assert_int_equal(d.verdict, POLICY_NOTHING);
}

static void only_spam_weighs(void **state)
{
	const struct config_weights w = {
		.trap_hit = 1, .abuse_report = 2, .auth_failure = 3, .manual = 4};

	(void)state;
	assert_int_equal(policy_weight(&w, EVIDENCE_TRAP_HIT, CLASS_SPAM), 1);
	assert_int_equal(policy_weight(&w, EVIDENCE_ABUSE_REPORT, CLASS_SPAM), 2);
	assert_int_equal(policy_weight(&w, EVIDENCE_AUTH_FAILURE, CLASS_SPAM), 3);
	assert_int_equal(policy_weight(&w, EVIDENCE_MANUAL, CLASS_SPAM), 4);
	assert_int_equal(policy_weight(&w, EVIDENCE_TRAP_HIT, CLASS_BACKSCATTER), 0);
	assert_int_equal(policy_weight(&w, EVIDENCE_TRAP_HIT, CLASS_AUTO_REPLY), 0);
	assert_int_equal(policy_weight(&w, EVIDENCE_TRAP_HIT, CLASS_CHALLENGE), 0);
}

static void a_share_of_a_weight(void **state)
{
	static const struct {
		int64_t weight;
		unsigned percent;
		int64_t share;
	} cases[] = {
		{10, 100, 10},
		{10, 50, 5},
		{10, 20, 2},
		{10, 0, 0},
		{0, 100, 0},
		{-5, 100, 0},
		{1, 20, 1}, /* never nothing of something */
		{3, 50, 2},
		{10, 101, 10},
		{1000000, 99, 990000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(policy_share(cases[i].weight, cases[i].percent), cases[i].share);
}

static void what_was_forgiven_does_not_list_again(void **state)
{
	struct config_list list = list_plain();
	struct policy_past past = {.removed_ms = NOW - HOUR * 1000};

	(void)state;
	assert_int_equal(policy_window_start(&list, &past, NOW), NOW - HOUR * 1000 + 1);
	past.removed_ms = NOW - 2 * DAY * 1000;
	assert_int_equal(policy_window_start(&list, &past, NOW), NOW - DAY * 1000);
	past.removed_ms = 0;
	assert_int_equal(policy_window_start(&list, &past, NOW), NOW - DAY * 1000);
}

static void removals(void **state)
{
	const struct policy_past active = {
		.listed_before = true, .active = true, .expires_ms = NOW + DAY * 1000};
	const struct policy_past again = {
		.listed_before = true, .active = true, .expires_ms = NOW + DAY * 1000, .relist = 1};
	const int64_t old = NOW - 13 * HOUR * 1000, fresh = NOW - HOUR * 1000;
	const struct {
		const char *label;
		enum list_leave leave;
		struct policy_past past;
		struct policy_request request;
		enum policy_removal outcome;
		int64_t until_ms;
	} cases[] = {
		{"all conditions met", LEAVE_REQUEST, active, {true, true, old, 0, 0},
			REMOVAL_GRANTED, 0},
		{"not listed", LEAVE_REQUEST, {0}, {true, true, 0, 0, 0}, REMOVAL_NOT_LISTED, 0},
		{"expiry only", LEAVE_AUTO, active, {true, true, old, 0, 0}, REMOVAL_LEAVE_AUTO,
			NOW + DAY * 1000},
		{"no requests", LEAVE_NONE, active, {true, true, old, 0, 0}, REMOVAL_LEAVE_NONE, 0},
		{"no FCrDNS", LEAVE_REQUEST, active, {true, false, old, 0, 0}, REMOVAL_FCRDNS, 0},
		{"a domain needs no FCrDNS", LEAVE_REQUEST, active, {false, false, old, 0, 0},
			REMOVAL_GRANTED, 0},
		{"no evidence at all", LEAVE_REQUEST, active, {true, true, 0, 0, 0},
			REMOVAL_GRANTED, 0},
		{"too fresh", LEAVE_REQUEST, active, {true, true, fresh, 0, 0}, REMOVAL_QUIET,
			fresh + 12 * HOUR * 1000},
		{"relisted: quiet for twice as long", LEAVE_REQUEST, again, {true, true, old, 0, 0},
			REMOVAL_QUIET, old + 24 * HOUR * 1000},
		{"once more is fine", LEAVE_REQUEST, active, {true, true, old, 1, NOW - DAY * 1000},
			REMOVAL_GRANTED, 0},
		{"too many", LEAVE_REQUEST, active, {true, true, old, 2, NOW - DAY * 1000},
			REMOVAL_TOO_MANY, NOW + 29 * DAY * 1000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_list list = list_plain();
		struct policy_removal_decision d;

		print_message("  %s\n", cases[i].label);
		list.leave = cases[i].leave;
		policy_judge_removal(&list, &cases[i].past, &cases[i].request, NOW, &d);
		assert_string_equal(
			policy_removal_word(d.outcome), policy_removal_word(cases[i].outcome));
		assert_int_equal(d.until_ms, cases[i].until_ms);
	}
}

static void doubling_stays_in_bounds(void **state)
{
	struct config_list list = list_plain();

	(void)state;
	for (unsigned n = 0; n < 200; n++) {
		assert_in_range(policy_lifetime_s(&list, n), 2 * DAY, 16 * DAY);
		assert_true(policy_quiet_s(&list, n) <= policy_lifetime_s(&list, n));
	}
	list.lifetime_max = DAY; /* below the lifetime: the lifetime stands */
	assert_int_equal(policy_lifetime_s(&list, 5), 2 * DAY);
	list.leave_quiet = 0;
	assert_int_equal(policy_quiet_s(&list, 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_lists),
		cmocka_unit_test(only_spam_weighs),
		cmocka_unit_test(a_share_of_a_weight),
		cmocka_unit_test(what_was_forgiven_does_not_list_again),
		cmocka_unit_test(removals),
		cmocka_unit_test(doubling_stays_in_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
