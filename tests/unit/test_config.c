/* test_config.c - the configuration file: values, defaults, faults with their lines, print and back. */
#include "test.h"

#include "config/config.h"
#include "io/file.h"

#include <unistd.h>

static char path[] = "/tmp/sekisho-config-XXXXXX";

static struct config *load(const char *text, struct buf *faults)
{
	struct err err;

	assert_true(file_replace(path, slice_str(text), 0600, &err));
	return config_load(path, faults);
}

static int make(void **state)
{
	(void)state;
	return close(mkstemp(path));
}

static int clear(void **state)
{
	(void)state;
	return unlink(path);
}

static void values(void **state)
{
	struct buf faults = BUF_INIT(10000);
	struct config *c =
		load("# a comment\nstate-dir = \"/tmp/x\"\n"
		     "list \"trap\" {\n  zone = bl.example\n  code = 127.0.0.4\n  window = 12h\n"
		     "  leave = none\n  automatic = no\n}\n"
		     "list \"dom\" {\n  zone = \"dbl.例え.jp\"\n  kind = domain\n}\n"
		     "dnsd {\n  listen = {\"127.0.0.1:5300\", \"[::1]:5300\"}\n"
		     "  zone \"z.example\" { data = {\"ip4set:a,b\"} }\n}\n"
		     "gated {\n  list \"zen.example\" { weight = -5 }\n  list \"x.example\" {}\n}\n"
		     "listd { never = {192.0.2.0/24} }\n"
		     "trapd { trap \"old\" { type = typo\n addresses = {\"*@a.example\"} }\n"
		     "  trap \"own\" { type = typo\n weight = 70\n domains = {b.example}\n"
		     "    group = \"g\" } }\n"
		     "webd { base-url = \"https://bl.example\" }\n",
			&faults);

	(void)state;
	assert_string_equal(buf_str(&faults), "");
	assert_non_null(c);
	assert_int_equal(c->list_count, 2);
	assert_string_equal(c->lists[0].name, "trap");
	assert_int_equal(c->lists[0].code, 0x7f000004);
	assert_int_equal(c->lists[0].window, 43200);
	assert_int_equal(c->lists[0].leave, LEAVE_NONE);
	assert_false(c->lists[0].automatic);
	assert_string_equal(c->lists[0].text, "trap: $ is listed, see https://bl.example/q?q=$");
	assert_int_equal(c->lists[1].kind, LIST_DOMAIN);
	assert_string_equal(domain_text(&c->lists[1].zone_name).s, "dbl.xn--r8jz45g.jp");
	assert_int_equal(c->dnsd.listen.count, 2);
	assert_string_equal(c->dnsd.zones[0].data.items[0], "ip4set:a,b");
	assert_int_equal(c->trapd.trap_count, 2);
	assert_int_equal(c->trapd.traps[0].type, TRAP_TYPO);
	assert_int_equal(c->trapd.traps[0].weight, 20);
	assert_string_equal(c->trapd.traps[0].group, "old");
	assert_int_equal(c->trapd.traps[1].weight, 70);
	assert_string_equal(c->trapd.traps[1].group, "g");
	assert_int_equal(c->gated.list_count, 2);
	assert_int_equal(c->gated.lists[0].weight, -5);
	assert_int_equal(c->gated.lists[1].weight, 10);
	assert_int_equal(c->listd.never.count, 1);
	assert_string_equal(c->listd.store, "/tmp/x/sekisho.db");
	assert_string_equal(c->publish_dir, "/tmp/x/publish");
	assert_int_equal(c->gated.own_networks.count, 2);
	assert_ptr_equal(config_find_list(c, SLICE("dom")), &c->lists[1]);
	assert_null(config_find_list(c, SLICE("do")));
	config_free(c);
	buf_done(&faults);
}

/* What is put together out of long parts is whole, or a fault. */
static void long_parts(void **state)
{
	struct buf faults = BUF_INIT(100000), text = BUF_INIT(100000);
	char name[5001];
	struct config *c;

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	buf_addf(&text, "list \"%s\" { zone = bl.example }\n", name);
	assert_null(load(buf_str(&text), &faults));
	assert_non_null(strstr(buf_str(&faults), "a name has 1 to 64"));
	buf_reset(&faults);
	buf_reset(&text);
	buf_addf(&text, "state-dir = \"/%s\"\n", name);
	c = load(buf_str(&text), &faults);
	assert_non_null(c);
	assert_int_equal(strlen(c->publish_dir), sizeof name + strlen("/publish"));
	config_free(c);
	buf_done(&text);
	buf_done(&faults);
}

static void every_fault_with_its_line(void **state)
{
	static const struct {
		const char *text, *words; /* words: what the faults must hold */
	} cases[] = {
		{"list \"a\" {\n  zone = bl.example\n  code = 10.0.0.1\n  window = never\n}\n",
			":3: code: must be 127.0.0.2"},
		{"list \"a\" {\n  zone = bl.example\n  code = 10.0.0.1\n  window = never\n}\n",
			":4: window: 'never' is not a time"},
		{"trapd {\n  max-size = 5\n}\n", ":2: max-size: must be 1024 to"},
		{"trapd {\n  relays = {192.0.2.1/24}\n}\n",
			":2: relays: '192.0.2.1/24' has bits set"},
		{"trapd {\n\n  relay = {}\n}\n", ":3: no such option 'relay'"},
		{"list \"a\" { }\n", "list \"a\": zone is missing"},
		{"list \"a b\" { zone = x.example }\n", "a name has 1 to 64"},
		{"dnsd { zone \"x\" { } }\n", "data is missing"},
		{"dnsd {\n listen = {\"127.0.0.1\"}\n}\n",
			":2: listen: '127.0.0.1' is not an address with a port"},
		{"list \"a\" { zone = x.example\n leave = maybe }\n",
			":2: leave: 'maybe' is none of: auto, request, none"},
		{"list \"a\" { zone = x.example }\nlist \"a\" { zone = y.example }\n", ":2: "},
		{"trapd { tls-key = \"/x\" }\n", "belong together"},
		{"trapd {\n trap \"a\" { } }\n", ":2: trap \"a\": give it addresses or domains"},
		{"trapd { trap \"a\" { addresses = {\"b\"} } }\n", "'b' is no mail address"},
		{"trapd { trap \"a\" { addresses = {\"@b.example\"} } }\n", "is no mail address"},
		{"trapd { trap \"a b\" { domains = {b.example} } }\n", "a name has 1 to 64"},
		{"trapd { trap \"a\" { domains = {b.example}\n group = \"x y\" } }\n",
			"a group has 1 to 64"},
		{"trapd { trap \"a\" {\n type = fresh } }\n", ":2: type: 'fresh' is none of: pris"},
		{"dnsd {\n", "a closing } is missing"},
	};
	struct buf faults = BUF_INIT(10000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (load(cases[i].text, &faults))
			fail_msg("case %zu was taken", i);
		if (!strstr(buf_str(&faults), cases[i].words))
			fail_msg("case %zu: '%s' not in '%s'", i, cases[i].words, buf_str(&faults));
	}
	assert_null(config_load("/nonexistent", &faults));
	assert_non_null(strstr(buf_str(&faults), "/nonexistent"));
	buf_done(&faults);
}

static void print_and_back(void **state)
{
	struct buf faults = BUF_INIT(10000);
	struct config *c =
		load("list \"trap\" { zone = bl.example\n title = \"a \\\"quoted\\\" title\" }\n"
		     "dnsd { zone \"z.example\" { data = {\"ip4set:a\"} } }\n"
		     "trapd { trap \"old\" { type = recycled\n domains = {a.example} } }\n"
		     "gated { list \"zen.example\" { } }\n",
			&faults);
	char *printed[2];
	size_t len;

	(void)state;
	assert_non_null(c);
	for (int i = 0; i < 2; i++) {
		FILE *to = open_memstream(&printed[i], &len);
		config_print(c, to);
		fclose(to);
		config_free(c);
		c = load(printed[i], &faults);
		assert_string_equal(buf_str(&faults), "");
		assert_non_null(c);
	}
	assert_string_equal(printed[0], printed[1]);
	config_free(c);
	free(printed[0]);
	free(printed[1]);
	buf_done(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(long_parts),
		cmocka_unit_test(every_fault_with_its_line),
		cmocka_unit_test(print_and_back),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
