/* test_webd_template.c - the portal's templates: what they say, what they escape, what they refuse. */
#include "test.h"

#include "webd/template.h"

#include <stdio.h>

static const struct {
	const char *text, *values, *want;
} cases[] = {
	{"plain", "{}", "plain"},
	{"", "{}", ""},
	{"{{a}}", "{'a':'x'}", "x"},
	{"{{ a }}", "{'a':'x'}", "x"},
	{"{{a}}", "{}", ""},
	{"{{a}}", "{'a':null}", ""},
	{"{{a}}", "{'a':42}", "42"},
	{"{{a}}", "{'a':true}", "true"},
	{"{{a}}", "{'a':[1]}", ""},
	{"{{a}}", "{'a':'<b title=\\\"x\\\" o=\\'y\\'>&amp;'}",
		"&lt;b title=&quot;x&quot; o=&#39;y&#39;&gt;&amp;amp;"},
	{"{{a}}", "{'a':'{{b}}','b':'no'}", "{{b}}"},
	{"{{a}}", "{'a':'\\u001b[31m\\u007f\\t\\n'}", "\xef\xbf\xbd[31m\xef\xbf\xbd\t\n"},
	{"{{a}}", "{'a':'x\\u202ey\\u2066z'}", "x\xef\xbf\xbdy\xef\xbf\xbdz"},
	{"{{a}}", "{'a':'\\u95a2\\u6240'}", "\xe9\x96\xa2\xe6\x89\x80"},
	{"{{a}}", "{'a':'x\\u0000y'}", "x\xef\xbf\xbdy"},
	{"{{a.b.c}}", "{'a':{'b':{'c':'deep'}}}", "deep"},
	{"{{a.b}}", "{'a':'x','b':'y'}", ""},
	{"{{#a}}in{{/a}}", "{'a':true}", "in"},
	{"{{#a}}in{{/a}}", "{'a':false}", ""},
	{"{{#a}}in{{/a}}", "{'a':0}", ""},
	{"{{#a}}in{{/a}}", "{'a':3}", "in"},
	{"{{#a}}in{{/a}}", "{'a':''}", ""},
	{"{{#a}}in{{/a}}", "{'a':[]}", ""},
	{"{{#a}}in{{/a}}", "{'a':{}}", ""},
	{"{{#a}}in{{/a}}", "{}", ""},
	{"{{#a}}{{.}},{{/a}}", "{'a':['<',2]}", "&lt;,2,"},
	{"{{#a}}{{b}}{{c}} {{/a}}", "{'c':'o','a':[{'b':1},{'b':2,'c':'i'}]}", "1o 2i "},
	{"{{#a}}{{#b}}{{c}}{{/b}}{{/a}}", "{'a':{'b':{'c':'x'}}}", "x"},
	{"{{^a}}none{{/a}}", "{}", "none"},
	{"{{^a}}none{{/a}}", "{'a':[]}", "none"},
	{"{{^a}}none{{/a}}", "{'a':[0]}", ""},
	{"a{{! words <b> }}b", "{}", "ab"},
	{"{{#a}}\n  x\n{{/a}}\ny", "{'a':true}", "  x\ny"},
	{"  {{#a}}  \nx{{/a}}", "{'a':true}", "x"},
	{"{{#a}}\n{{#a}}\nx\n{{/a}}\n{{/a}}\n", "{'a':true}", "x\n"},
	{"x {{#a}}\ny{{/a}}", "{'a':true}", "x \ny"},
	{"{{>part}}!", "{'a':'<'}", "(&lt;)!"},
	{"{{#_}}Hello\n   {{a}}{{/_}}", "{'a':'<'}", "Hello &lt;"},
	{"{ {a}} }} {", "{}", "{ {a}} }} {"},
};

static json_t *values_of(const char *text)
{
	char quoted[512];
	size_t n = 0;
	json_t *v;

	/* Single quotes read better in the table. */
	for (const char *p = text; *p && n < sizeof quoted - 1; p++)
		if (p[0] == '\\' && p[1] == '\'')
			quoted[n++] = *++p;
		else
			quoted[n++] = *p == '\'' ? '"' : *p;
	quoted[n] = '\0';
	v = json_loads(quoted, JSON_ALLOW_NUL, NULL);
	if (!v)
		fprintf(stderr, "bad test values: %s\n", quoted);
	assert_non_null(v);
	return v;
}

static void test_render(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].text, strlen(cases[i].text));
		struct template_set *set = template_set_new(NULL);
		_cleanup_buf_ struct buf out = BUF_INIT(4096);
		json_t *values = values_of(cases[i].values);
		struct err err = {0};

		assert_true(template_set_add(set, "part", SLICE("({{a}})"), &err));
		if (!template_set_add(set, "t", text, &err) || !template_set_link(set, &err))
			fail_msg("'%s': %s", cases[i].text, err.text);
		assert_true(template_render(set, "t", values, &out));
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			fail_msg("'%s' gave '%s', not '%s'", cases[i].text, buf_str(&out),
				cases[i].want);
		json_decref(values);
		template_set_free(set);
		exact_free(text);
	}
}

static const struct {
	const char *text, *words;
} faults[] = {
	{"{{a", "t:1: a tag that is not closed: {{a}}"},
	{"x\ny {{{a}}}", "t:2: unescaped output does not exist here: {{a}}"},
	{"{{&a}}", "t:1: unescaped output does not exist here: {{a}}"},
	{"{{}}", "t:1: no name"},
	{"{{a b}}", "t:1: no name"},
	{"{{a..b}}", "t:1: no name"},
	{"{{.a}}", "t:1: no name"},
	{"\n{{#a}}\nx", "t:2: a section that is not closed: {{a}}"},
	{"{{#a}}{{/b}}", "t:1: closes what is not open: {{b}}"},
	{"{{/a}}", "t:1: closes what is not open: {{a}}"},
	{"\n\n{{>no}}", "t:3: there is no template {{>no}}"},
	{"{{>t}}", "t:1: t: a template within itself"},
	{"{{#_}}x", "t:1: not closed: {{#_}}"},
	{"{{#_}} {{/_}}", "t:1: an empty text to translate"},
	{"{{#_}}a{{#b}}c{{/b}}{{/_}}", "t:1: only values may stand in a text to translate: {{b}}"},
	{"{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}"
	 "}"
	 "{{#a}}{{#a}}",
		"t:1: sections nested too deep: {{a}}"},
};

static void test_faults(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct slice text = exact(faults[i].text, strlen(faults[i].text));
		struct template_set *set = template_set_new(NULL);
		struct err err = {0};

		if (template_set_add(set, "t", text, &err) && template_set_link(set, &err))
			fail_msg("'%s' was accepted", faults[i].text);
		if (strncmp(err.text, faults[i].words, strlen(faults[i].words)) != 0)
			fail_msg("'%s' says '%s', not '%s'", faults[i].text, err.text,
				faults[i].words);
		template_set_free(set);
		exact_free(text);
	}
}

static void test_limits(void **state)
{
	struct template_set *set = template_set_new(NULL);
	struct buf out = BUF_INIT(10);
	json_t *values = values_of("{'a':[1,1,1,1,1,1,1,1,1,1]}");
	struct err err;

	assert_true(template_set_add(set, "wide", SLICE("{{#a}}xx{{/a}}"), &err));
	assert_true(template_set_add(set, "slow",
		SLICE("{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{^"
		      "a}}"
		      "{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/"
		      "a}}"),
		&err));
	assert_false(template_set_add(set, "wide", SLICE(""), &err));
	assert_true(template_set_link(set, &err));
	assert_false(template_render(set, "wide", values, &out));
	buf_done(&out);
	assert_false(template_render(set, "slow", values, &out));
	assert_false(template_render(set, "missing", values, &out));
	buf_done(&out);
	json_decref(values);
	template_set_free(set);
}

static void test_fill(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(200);
	json_t *values = values_of("{'a':'<x>','n':3}");

	template_fill("{{a}} and {{n}}{{none}}, {{ open", values, &out);
	assert_string_equal(buf_str(&out), "<x> and 3, ");
	json_decref(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
