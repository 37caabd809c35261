/* test_reason.c - reasons keep their code and numbers in the store, and old words stay words. */
#include "test.h"

#include "ledger/reason.h"

static const struct reason threshold = {
	.code = REASON_THRESHOLD,
	.weight = 12,
	.window_s = 86400,
	.traps = 2,
	.threshold = 10,
	.lifetime_s = 172800,
	.relist = 1,
};

static void every_code_comes_back(void **state)
{
	static const enum reason_code codes[] = {REASON_WORDS, REASON_BY_HAND, REASON_FEED,
		REASON_THRESHOLD, REASON_MORE_EVIDENCE, REASON_EXPIRED, REASON_ASKED,
		REASON_TOO_WIDE, REASON_SPECIAL_RANGE, REASON_RESERVED_NAME, REASON_PROTECTED,
		REASON_PUBLIC_SUFFIX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct reason r = threshold, back;
		bool has_text = reason_text_name(codes[i]) != NULL;
		const char *name;
		int64_t before, after;

		print_message("  %s\n", reason_word(codes[i]));
		r.code = codes[i];
		r.lifetime_s = INT64_MAX;
		r.widest = 8;
		(void)slice_copy(SLICE("a=b, \xe6\x97\xa5 x.example"), r.text, sizeof r.text);
		back = reason_load(slice_str(reason_store(&r).s));
		assert_int_equal(back.code, codes[i]);
		assert_string_equal(back.text, has_text ? r.text : "");
		for (size_t n = 0; reason_number(&r, n, &name, &before); n++) {
			assert_true(reason_number(&back, n, &name, &after));
			assert_int_equal(before, after);
		}
	}
}

static void the_form_in_the_store_is_fixed(void **state)
{
	struct reason by_hand = reason_of(REASON_BY_HAND, SLICE("spam gang"));

	(void)state;
	assert_string_equal(reason_store(&threshold).s,
		"threshold\tweight=12\twindow_s=86400\ttraps=2\tthreshold=10\tlifetime_s=172800\t"
		"relist=1");
	assert_string_equal(reason_store(&by_hand).s, "by-hand\ttext=spam gang");
	assert_string_equal(reason_store(&(struct reason){.code = REASON_EXPIRED}).s, "expired\t");
}

static void what_is_not_ours_is_words(void **state)
{
	static const struct {
		const char *stored, *text;
	} cases[] = {
		{"", ""},
		{"expired",
			"expired"}, /* what an operator may have written before there were codes */
		{"by hand: spam gang", "by hand: spam gang"},
		{"evidence of weight 10 within 1d from 1 trap", NULL},
		{"expired\tx", "expired x"},
		{"unheard-of\tx=1", "unheard-of x=1"},
		{"more-evidence\t", "more-evidence "},
		{"more-evidence\tlifetime_s=-1", "more-evidence lifetime_s=-1"},
		{"more-evidence\tlifetime_s=1x", "more-evidence lifetime_s=1x"},
		{"more-evidence\tlifetime_s=9223372036854775808", NULL},
		{"more-evidence\tlifetime_s=1\tcolour=2", NULL},
		{"threshold\tweight=1\ttraps=1", NULL},
		{"by-hand\ttext", "by-hand text"},
		{"by-hand\tfeed=x", "by-hand feed=x"},
		{"a\nb\x7f", "a b "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reason r = reason_load(slice_str(cases[i].stored));

		print_message("  %s\n", cases[i].stored);
		assert_int_equal(r.code, REASON_WORDS);
		if (cases[i].text)
			assert_string_equal(r.text, cases[i].text);
	}
}

static void long_words_are_cut_at_a_character(void **state)
{
	char text[3 * 100 + 1] = "";
	struct reason r;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		text[i] = "\xe6\x97\xa5"[i % 3];
	r = reason_of(REASON_BY_HAND, slice_of(text, 300));
	assert_int_equal(strlen(r.text), 255);
	r = reason_of(
		REASON_BY_HAND, slice_of(text + 1, 299)); /* not even at a character's start */
	assert_int_equal(strlen(r.text), 254);
	r = reason_of(REASON_BY_HAND, SLICE("one\0two"));
	assert_string_equal(r.text, "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_comes_back),
		cmocka_unit_test(the_form_in_the_store_is_fixed),
		cmocka_unit_test(what_is_not_ours_is_words),
		cmocka_unit_test(long_words_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
