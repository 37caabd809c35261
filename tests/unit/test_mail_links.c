/* test_mail_links.c - hosts in links, as browsers see them. */
#include "test.h"

#include "base/arena.h"
#include "mail/html.h"
#include "mail/links.h"

static void test_url_host(void **state)
{
	static const struct {
		const char *url, *want; /* NULL: none */
	} cases[] = {
		{"http://Example.COM/path", "example.com"},
		{"https://example.com:8443", "example.com"},
		{"http://user:pw@evil.example@real.example/x", "real.example"},
		{"http:\\\\evil.example\\x", "evil.example"},
		{"//evil.example/x", "evil.example"},
		{"http:evil.example", "evil.example"},
		{"http:///evil.example", "evil.example"},
		{" \t\nhttp://ev\nil.exa\tmple/", "evil.example"},
		{"http://%65vil.example/", "evil.example"},
		{"http://b\xc3\xbc"
		 "cher.example/",
			"xn--bcher-kva.example"},
		{"http://evil\xe3\x80\x82"
		 "example/",
			"evil.example"}, /* ideographic full stop */
		{"http://example.com./", "example.com"},
		{"http://a_b.example/", "a_b.example"},
		{"http://3232235777/", "192.168.1.1"},
		{"http://0xc0.0250.1.1/", "192.168.1.1"},
		{"http://127.1/", "127.0.0.1"},
		{"http://1.2.3.4:80/", "1.2.3.4"},
		{"http://[2001:db8::1]:80/", "2001:db8::1"},
		{"http://1.2.3.4.5/", NULL},
		{"http://256.1.1.1/", NULL},
		{"mailto:a@b.example", NULL},
		{"javascript:alert(1)", NULL},
		{"/relative", NULL},
		{"page.html", NULL},
		{"http://", NULL},
		{"http://a b.example/", NULL},
		{"http://{host}/", NULL},
		{"http://.../", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice url = exact(cases[i].url, strlen(cases[i].url));
		struct domain name;
		struct ip ip;
		bool ok = url_host(url, &name, &ip);
		const char *got = !ok	     ? "nothing"
				  : name.len ? domain_text(&name).s
					     : ip_text(&ip).s;

		if (ok != (cases[i].want != NULL) || (ok && strcmp(got, cases[i].want) != 0))
			fail_msg("%s: got %s", cases[i].url, got);
		exact_free(url);
	}
}

static void test_registrable(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{"www.example.com", "example.com"},
		{"a.b.example.co.jp", "example.co.jp"},
		{"co.jp", NULL},
		{"com", NULL},
		{"localhost", NULL},
		{"spam.example", "spam.example"},
		{"a.user.github.io", "user.github.io"},
		{"www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct domain name, got;
		bool ok;

		assert_true(domain_parse(slice_str(cases[i].name), &name, NULL));
		ok = domain_registrable(NULL, &name, &got);
		assert_int_equal(ok, cases[i].want != NULL);
		if (ok)
			assert_string_equal(domain_text(&got).s, cases[i].want);
	}
}

static void list(const struct links *l, struct buf *out)
{
	for (size_t i = 0; i < l->host_count; i++)
		buf_addf(out, "%s ", domain_text(&l->hosts[i].name).s);
	for (size_t i = 0; i < l->ip_count; i++)
		buf_addf(out, "%s ", ip_text(&l->ips[i]).s);
}

static void test_html(void **state)
{
	static const struct {
		const char *label, *html, *want;
	} cases[] = {
		{"plain", "<a href=\"http://a.example/x\">", "a.example "},
		{"slash before href", "<a/href=http://a.example>", "a.example "},
		{"single quotes, upper case", "<A HREF = 'http://a.example'>", "a.example "},
		{"entities", "<a href=\"http&#58;&#x2f;&sol;a&period;example\">", "a.example "},
		{"line end inside", "<a href=\"http://a.ex\nample/\">", "a.example "},
		{"each once", "<a href=http://a.example><img src=http://a.example/i>",
			"a.example "},
		{"in a comment", "<!-- <a href=http://a.example> --><a href=http://b.example>",
			"b.example "},
		{"comment closed early", "<!--><a href=http://a.example>-->", "a.example "},
		{"in a script",
			"<script>x='<a href=http://a.example>'</script><a href=http://b.example>",
			"b.example "},
		{"style url",
			"<style>p{background:url('http://a.example/')}</style><p "
			"style=\"x:url(http://b.example)\">",
			"a.example b.example "},
		{"title without end hides nothing", "<title><a href=http://a.example>",
			"a.example "},
		{"base", "<base href=http://a.example/><a href=x>", "a.example "},
		{"refresh", "<meta http-equiv=refresh content=\"0; URL='http://a.example/'\">",
			"a.example "},
		{"other meta", "<meta name=x content=\"0; url=http://a.example/\">", ""},
		{"srcset", "<img srcset=\"http://a.example/1 1x, http://b.example/2 2x\">",
			"a.example b.example "},
		{"text in between", "see http://a.example/x. <b>www.b.com</b>",
			"a.example www.b.com "},
		{"not ended", "<a href=\"http://a.example", "a.example "},
		{"addresses", "<a href=http://1.2.3.4/><a href=http://0x01020304/>", "1.2.3.4 "},
		{"attribute twice: both", "<a href=http://a.example href=http://b.example>",
			"a.example b.example "},
		{"doctype",
			"<!DOCTYPE html PUBLIC \"http://a.example\"><html "
			"xmlns=\"http://b.example\">",
			""},
		{"less-than in text", "1 < 2 <a href=http://a.example>", "a.example "},
		{"end tag", "</a href=http://a.example>", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice html = exact(cases[i].html, strlen(cases[i].html));
		struct arena *a = arena_new(LINKS_ARENA_SIZE);
		struct buf got = BUF_INIT(10000);
		struct links l;

		assert_true(links_init(&l, a, NULL));
		links_add_html(&l, html);
		list(&l, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].label, buf_str(&got));
		buf_done(&got);
		arena_free(a);
		exact_free(html);
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"go to http://a.example/x, now", "a.example "},
		{"(http://a.example)", "a.example "},
		{"[http://a.example]", "a.example "},
		{"<HTTP://A.example>", "a.example "},
		{"http://a.example.", "a.example "},
		{"www.a.com and awww.b.com", "www.a.com "},
		{"www.is.nothing.notatld", ""},
		{"www.com", ""},
		{"http://[2001:db8::1]/x", "2001:db8::1 "},
		{"mail me@www.a.com", ""},
		{"http://", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].text, strlen(cases[i].text));
		struct arena *a = arena_new(LINKS_ARENA_SIZE);
		struct buf got = BUF_INIT(10000);
		struct links l;

		assert_true(links_init(&l, a, NULL));
		links_add_text(&l, text);
		list(&l, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got '%s'", cases[i].text, buf_str(&got));
		buf_done(&got);
		arena_free(a);
		exact_free(text);
	}
}

static void test_kinds(void **state)
{
	struct arena *a = arena_new(LINKS_ARENA_SIZE);
	struct links l;

	assert_true(links_init(&l, a, NULL));
	links_add_html(&l, SLICE("<img src=http://a.b.example><a href=http://c.b.example>"));
	assert_int_equal(l.host_count, 2);
	assert_int_equal(l.domain_count, 1);
	assert_int_equal(l.domains[0].kinds, LINK_CLICK | LINK_LOAD);
	assert_int_equal(l.hosts[0].kinds, LINK_LOAD);
	arena_free(a);
}

static void test_linear(void **state)
{
	static const char *const units[] = {"<div>", "<", "<a ", "<a href=", "<a href=\"", "<!--",
		"<!", "</", "<title>", "<script>", "&", "&#", "http://", "www.", "url(",
		"<a href=http://a.example>", "a=b "};
	struct buf b = BUF_INIT((size_t)1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct arena *a = arena_new(LINKS_ARENA_SIZE);
		struct buf text = BUF_INIT((size_t)4 << 20);
		struct links l;
		clock_t start;

		buf_reset(&b);
		while (b.len + strlen(units[i]) <= b.limit)
			buf_add_str(&b, units[i]);
		start = clock();
		assert_true(links_init(&l, a, NULL));
		links_add_html(&l, buf_slice(&b));
		html_to_text(buf_slice(&b), &text);
		if ((clock() - start) / CLOCKS_PER_SEC >= 1)
			fail_msg("'%s' repeated: %ld ms", units[i],
				(long)((clock() - start) * 1000 / CLOCKS_PER_SEC));
		buf_done(&text);
		arena_free(a);
	}
	buf_done(&b);
}

static void test_many_hosts(void **state)
{
	struct buf b = BUF_INIT((size_t)1 << 20);
	struct arena *a = arena_new(LINKS_ARENA_SIZE);
	struct links l;

	for (int i = 0; i < 2000; i++)
		buf_addf(&b, "<a href=http://h%d.example>", i);
	assert_true(links_init(&l, a, NULL));
	links_add_html(&l, buf_slice(&b));
	assert_true(l.cut);
	assert_int_equal(l.host_count, LINKS_MAX_HOSTS);
	buf_done(&b);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_host),
		cmocka_unit_test(test_registrable),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
