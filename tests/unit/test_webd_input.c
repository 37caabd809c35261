/* test_webd_input.c - what strangers send the portal: forms, preferences, tokens, too many requests;
 * and the catalogue it answers from. */
#include "test.h"

#include "webd/form.h"
#include "webd/limiter.h"
#include "webd/mo.h"
#include "webd/negotiate.h"
#include "webd/token.h"

static void test_form(void **state)
{
	static const struct {
		const char *encoded, *name, *value; /* value NULL: refused */
	} cases[] = {
		{"q=192.0.2.1", "q", "192.0.2.1"},
		{"a=1&q=a+b%20c&b=2", "q", "a b c"},
		{"q=%E9%96%A2", "q", "\xe9\x96\xa2"},
		{"q=a=b", "q", "a=b"},
		{"q", "q", ""},
		{"&&q=1&", "q", "1"},
		{"", "q", ""},
		{"%71=1", "q", "1"},
		{"q=%zz", "q", NULL},
		{"q=%4", "q", NULL},
		{"q=%", "q", NULL},
		{"q=%00", "q", NULL},
		{"q=%ff", "q", NULL},
		{"q=%c0%af", "q", NULL},
		{"q=%ed%a0%80", "q", NULL},
		{"q=%f4%90%80%80", "q", NULL},
		{"q=%f4%8f%bf%bf", "q", "\xf4\x8f\xbf\xbf"},
		{"q=1&q=2", "q", NULL},
		{"a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", "q", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].encoded, strlen(cases[i].encoded));
		struct form form;
		bool ok = form_parse(text, &form, NULL);

		if (ok != (cases[i].value != NULL))
			fail_msg("'%s' %s", cases[i].encoded, ok ? "was accepted" : "was refused");
		if (ok && !slice_eq(form_value(&form, cases[i].name), slice_str(cases[i].value)))
			fail_msg("'%s' gave '%.*s'", cases[i].encoded,
				SLICE_FMT(form_value(&form, cases[i].name)));
		form_done(&form);
		exact_free(text);
	}
}

static void test_form_limit(void **state)
{
	char long_value[FORM_BYTES_MAX + 8];
	struct form form;
	struct err err;

	memset(long_value, 'a', sizeof long_value);
	assert_false(form_parse(slice_of(long_value, sizeof long_value), &form, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	form_done(&form);
}

static void test_encode(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(100);

	form_encode(SLICE("2001:db8::/32 a&b"), &out);
	assert_string_equal(buf_str(&out), "2001%3Adb8%3A%3A%2F32%20a%26b");
}

static void test_language(void **state)
{
	static const char *const tags[] = {"en", "ja"};
	static const struct {
		const char *header;
		size_t want;
	} cases[] = {
		{"", 0},
		{"ja", 1},
		{"JA-jp", 1},
		{"jam", 0},
		{"fr, ja;q=0.5, en;q=0.4", 1},
		{"fr, ja;q=0.4, en;q=0.5", 0},
		{"en;q=0.5, ja;q=0.5", 0},
		{"ja;q=0.5, en;q=0.5", 1},
		{"ja;q=0, *;q=0.1", 0},
		{"ja ; q=1.000 , en;q=0.999", 1},
		{"ja;q=x, en;q=0.1", 0},
		{"ja;q=-1", 0},
		{"*, ja;q=0.9", 0},
		{",,;;,=,ja", 1},
		{"en-GB,en-US;q=0.9,en;q=0.8,ja;q=0.7", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice header = exact(cases[i].header, strlen(cases[i].header));

		if (negotiate_language(header, tags, ARRAY_LEN(tags)) != cases[i].want)
			fail_msg("'%s' is not %s", cases[i].header, tags[cases[i].want]);
		exact_free(header);
	}
}

static void test_json(void **state)
{
	static const struct {
		const char *header;
		bool want;
	} cases[] = {
		{"", false},
		{"*/*", false},
		{"application/json", true},
		{"application/json, text/html", false},
		{"application/json, text/html;q=0.9", true},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
		{"application/*", true},
		{"application/json;q=0", false},
		{"text/html;q=0.2, application/json;q=0.3, */*", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (negotiate_json(slice_str(cases[i].header)) != cases[i].want)
			fail_msg("Accept: %s", cases[i].header);
}

static void test_token(void **state)
{
	static const uint8_t key[TOKEN_KEY_BYTES] = {1}, other[TOKEN_KEY_BYTES] = {2};
	int64_t now = 1790000000000;
	struct token_text t = token_make(key, SLICE("trap"), SLICE("192.0.2.1"), now);
	struct slice s = slice_str(t.s);

	assert_int_equal(s.len, sizeof t.s - 1);
	assert_int_equal(token_check(key, s, SLICE("trap"), SLICE("192.0.2.1"), now), TOKEN_GOOD);
	assert_int_equal(
		token_check(key, s, SLICE("trap"), SLICE("192.0.2.1"), now + TOKEN_LIFE_MS),
		TOKEN_GOOD);
	assert_int_equal(
		token_check(key, s, SLICE("trap"), SLICE("192.0.2.1"), now + TOKEN_LIFE_MS + 1),
		TOKEN_OLD);
	assert_int_equal(token_check(key, s, SLICE("trap"), SLICE("192.0.2.2"), now), TOKEN_BAD);
	assert_int_equal(token_check(key, s, SLICE("trap1"), SLICE("92.0.2.1"), now), TOKEN_BAD);
	assert_int_equal(token_check(other, s, SLICE("trap"), SLICE("192.0.2.1"), now), TOKEN_BAD);
	assert_int_equal(
		token_check(key, slice_take(s, 75), SLICE("trap"), SLICE("192.0.2.1"), now),
		TOKEN_BAD);
	assert_int_equal(
		token_check(key, SLICE_EMPTY, SLICE("trap"), SLICE("192.0.2.1"), now), TOKEN_BAD);
	for (size_t i = 0; i < s.len; i++) {
		struct token_text bent = t;

		bent.s[i] = bent.s[i] == '0' ? '1' : '0';
		assert_int_equal(
			token_check(key, slice_str(bent.s), SLICE("trap"), SLICE("192.0.2.1"), now),
			TOKEN_BAD);
	}
}

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	assert_true(ip_parse(slice_str(text), &ip));
	return ip;
}

static void test_limiter(void **state)
{
	static const uint8_t key[16] = {0};
	struct limiter *l = limiter_new(64, 3, 1000, key);
	struct ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2"), c = ip_of("2001:db8::1"),
		  d = ip_of("2001:db8::2");
	int64_t wait = 0;

	for (int i = 0; i < 3; i++)
		assert_true(limiter_take(l, &a, 5000, &wait));
	assert_false(limiter_take(l, &a, 5000, &wait));
	assert_int_equal(wait, 1000);
	assert_true(limiter_take(l, &b, 5000, &wait));
	assert_true(limiter_take(l, &a, 6000, &wait));
	assert_false(limiter_take(l, &a, 6999, &wait));
	assert_int_equal(wait, 1);
	/* One /64 is one client. */
	assert_true(limiter_take(l, &c, 0, &wait));
	assert_true(limiter_take(l, &d, 0, &wait));
	assert_true(limiter_take(l, &c, 0, &wait));
	assert_false(limiter_take(l, &d, 0, &wait));
	limiter_free(l);
}

/* A catalogue of two messages and a plural, as msgfmt writes it. */
static struct slice mo_make(struct buf *b)
{
	static const struct {
		const char *id;
		size_t id_len;
		const char *text;
		size_t text_len;
	} entries[] = {
		{"", 0, "Plural-Forms: nplurals=1; plural=0;\n", 36},
		{"day\0days", 8, "NICHI", 5},
		{"empty", 5, "", 0},
		{"list", 4, "HYO", 3},
	};
	uint32_t n = ARRAY_LEN(entries), at = 28 + 16 * n;
	uint32_t head[7] = {0x950412de, 0, n, 28, 28 + 8 * n, 0, 0};

	buf_add(b, head, sizeof head);
	for (size_t i = 0; i < n; i++) {
		uint32_t place[2] = {(uint32_t)entries[i].id_len, at};

		buf_add(b, place, sizeof place);
		at += place[0] + 1;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t place[2] = {(uint32_t)entries[i].text_len, at};

		buf_add(b, place, sizeof place);
		at += place[0] + 1;
	}
	for (size_t i = 0; i < n; i++)
		buf_add(b, entries[i].id, entries[i].id_len + 1);
	for (size_t i = 0; i < n; i++)
		buf_add(b, entries[i].text, entries[i].text_len + 1);
	return buf_slice(b);
}

static void test_mo(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	struct slice whole = mo_make(&b), file;
	struct err err = {0};
	struct mo *mo;

	file = exact(whole.ptr, whole.len);
	mo = mo_new(file, &err);
	assert_non_null(mo);
	assert_string_equal(mo_text(mo, "list"), "HYO");
	assert_string_equal(mo_text(mo, "none"), "none");
	assert_string_equal(mo_text(mo, "empty"), "empty");
	assert_string_equal(mo_text(mo, ""), "");
	assert_string_equal(mo_plural(mo, "day", "days", 1), "NICHI");
	assert_string_equal(mo_plural(mo, "day", "days", 5), "NICHI");
	assert_string_equal(mo_plural(mo, "week", "weeks", 1), "week");
	assert_string_equal(mo_plural(NULL, "week", "weeks", 0), "weeks");
	assert_string_equal(mo_text(NULL, "list"), "list");
	mo_free(mo);
	exact_free(file);
	/* Cut short anywhere it is refused. */
	for (size_t len = 0; len < whole.len; len++) {
		file = exact(whole.ptr, len);
		assert_null(mo_new(file, &err));
		exact_free(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_limit),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_limiter),
		cmocka_unit_test(test_mo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
