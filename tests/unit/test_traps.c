/* test_traps.c - which address is a trap, by which rule, and which names would tell one. */
#include "test.h"

#include "trapd/traps.h"

static const uint8_t key[16] = "sixteen bytes..";

static struct strings strings_of(char **items)
{
	struct strings s = {items, 0};

	while (items[s.count])
		s.count++;
	return s;
}

static struct smtp_path path_of(const char *text)
{
	struct slice rest = slice_str(text);
	struct smtp_path p;

	assert_true(smtp_path_cut(&rest, &p));
	return p;
}

static void each_address_by_its_rule(void **state)
{
	static const struct {
		const char *to, *rule; /* NULL: no trap */
	} cases[] = {
		{"<x@plain.example>", ""},
		{"<X@PLAIN.example>", ""},
		{"<x@sub.plain.example>", NULL},
		{"<sales@shop.example>", "old"},
		{"<Sales@Shop.Example>", "old"},
		{"<sale@shop.example>", NULL},
		{"<sales2@shop.example>", NULL},
		{"<info-7@shop.example>", "old"},
		{"<info-@shop.example>", "old"},
		{"<info@shop.example>", NULL},
		{"<abc@many.net>", "old"}, /* a pattern before a domain */
		{"<aXYc@many.net>", "old"},
		{"<one@many.net>", "slips"}, /* an address before a pattern */
		{"<other@many.net>", "slips"},
		{"<x@deep.wild.example>", "old"},
		{"<x@wild.example>", NULL},
		{"<x@xn--r8jz45g.jp>", "slips"},
		{"<x@例え.jp>", "slips"},
		{"<a@例え.com>", "old"},
		{"<a@xn--r8jz45g.com>", "old"},
		{"<x>", NULL},
		{"<x@[192.0.2.1]>", NULL},
	};
	char *plain[] = {"plain.example", NULL}, *domains[] = {"many.net", "例え.jp", NULL};
	char *old[] = {"sales@shop.example", "info-*@shop.example", "a*c@many.net",
		"*@*.wild.example", "a@例え.com", NULL};
	char *one[] = {"One@many.net", NULL};
	struct config_trap sections[] = {
		{.name = "old",
			.type = TRAP_RECYCLED,
			.addresses = strings_of(old),
			.weight = 50,
			.group = "g"},
		{.name = "slips",
			.type = TRAP_TYPO,
			.addresses = strings_of(one),
			.domains = strings_of(domains),
			.weight = 20,
			.group = "h"},
	};
	struct config_trapd config = {
		.domains = strings_of(plain), .traps = sections, .trap_count = 2};
	struct traps *t = traps_new(&config, key, NULL);

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smtp_path to = path_of(cases[i].to);
		const struct trap_rule *rule = traps_find(t, &to);

		if (!rule != !cases[i].rule || (rule && strcmp(rule->name, cases[i].rule) != 0))
			fail_msg("%s: %s", cases[i].to, rule ? rule->name : "no trap");
		if (rule && strcmp(rule->name, "old") == 0)
			assert_true(rule->type == TRAP_RECYCLED && rule->weight == 50
				    && strcmp(rule->group, "g") == 0);
	}
	assert_true(traps_have_domain(t, SLICE("SHOP.example")));
	assert_true(traps_have_domain(t, SLICE("many.net")));
	assert_false(traps_have_domain(t, SLICE("net")));
	assert_false(traps_have_domain(t, SLICE("other.example")));
	assert_string_equal(traps_domain(t, 0), "plain.example");
	traps_free(t);
}

static void a_name_near_a_trap_tells_it(void **state)
{
	static const struct {
		const char *name;
		bool near;
	} cases[] = {{"shop.co.example", true}, {"www.shop.co.example", true}, {"co.example", true},
		{"example", true}, {"other.co.example", false}, {"shop.co", false},
		{"xshop.co.example", false}};
	char *addresses[] = {"a@shop.co.example", NULL};
	struct config_trap section = {
		.name = "x", .addresses = strings_of(addresses), .group = "x"};
	struct config_trapd config = {.traps = &section, .trap_count = 1};
	struct traps *t = traps_new(&config, key, NULL);
	struct domain d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(domain_parse(slice_str(cases[i].name), &d, NULL));
		if (traps_are_near(t, &d) != cases[i].near)
			fail_msg("%s", cases[i].name);
	}
	traps_free(t);
}

static void without_any_all_are_traps(void **state)
{
	struct config_trapd config = {0};
	struct traps *t = traps_new(&config, key, NULL);
	struct smtp_path to = path_of("<x>");

	(void)state;
	assert_non_null(traps_find(t, &to));
	assert_null(traps_domain(t, 0));
	traps_free(t);
}

static void what_stands_twice_is_told(void **state)
{
	static const struct {
		char *first_address, *second_address, *first_domain, *second_domain;
		const char *words; /* NULL: taken */
	} cases[] = {
		{"a@b.example", "A@B.example", NULL, NULL, "'A@B.example' stands in trap \"one\""},
		{"a@b.example", "a@c.example", NULL, NULL, NULL},
		{NULL, NULL, "b.example", "B.example", "domain 'B.example' stands twice"},
		{"a@b.example", NULL, NULL, "b.example", NULL},
		{NULL, "a@b.example", "b.example", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *lists[4][2] = {{cases[i].first_address}, {cases[i].second_address},
			{cases[i].first_domain}, {cases[i].second_domain}};
		struct config_trap sections[] = {
			{.name = "one",
				.addresses = strings_of(lists[0]),
				.domains = strings_of(lists[2]),
				.group = "g"},
			{.name = "two",
				.addresses = strings_of(lists[1]),
				.domains = strings_of(lists[3]),
				.group = "g"},
		};
		struct config_trapd config = {.traps = sections, .trap_count = 2};
		struct err err = {0};
		struct traps *t = traps_new(&config, key, &err);

		if (!t != (cases[i].words != NULL) || (!t && !strstr(err.text, cases[i].words)))
			fail_msg("case %zu: %s", i, t ? "taken" : err.text);
		traps_free(t);
	}
}

/* Many of them, and a pattern that goes back and forth. */
static void many(void **state)
{
	enum { COUNT = 5000 };
	char **items = mem_new(COUNT + 1, sizeof *items), *hard[] = {"*a*a*a*a*b@x.example", NULL};
	struct config_trap sections[] = {{.name = "many", .group = "g"},
		{.name = "hard", .addresses = strings_of(hard), .group = "g"}};
	struct config_trapd config = {.traps = sections, .trap_count = 2};
	struct smtp_path to;
	char text[1100];
	struct traps *t;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "t%zu@d%zu.example", i, i % 100);
		items[i] = mem_str(text);
	}
	sections[0].addresses = (struct strings){items, COUNT};
	t = traps_new(&config, key, NULL);
	assert_non_null(t);
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "<t%zu@d%zu.example>", i, i % 100);
		to = path_of(text);
		assert_non_null(traps_find(t, &to));
		free(items[i]);
	}
	memset(text, 'a', 1000);
	snprintf(text + 1000, 100, "@x.example");
	to = path_of(text);
	assert_null(traps_find(t, &to));
	text[999] = 'b';
	to = path_of(text);
	assert_string_equal(traps_find(t, &to)->name, "hard");
	assert_null(traps_domain(t, 101));
	traps_free(t);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_by_its_rule),
		cmocka_unit_test(a_name_near_a_trap_tells_it),
		cmocka_unit_test(without_any_all_are_traps),
		cmocka_unit_test(what_stands_twice_is_told),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
