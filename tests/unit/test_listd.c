/* test_listd.c - messages in, replies out, on a store in memory: the whole of listd without its socket. */
#include "test_store.h"

#include "listd/requests.h"

#define HOUR ((int64_t)3600 * 1000)
#define DAY (24 * HOUR)
#define NOW ((int64_t)1800000000000)

struct world {
	struct config config;
	struct config_list lists[3];
	struct prefix never[1];
	char *never_domains[1];
	struct store *store;
	struct desk desk;
	struct asker admin, trapd, webd;
	int64_t now_ms;
};

static struct config_list list_base(const char *name, enum list_kind kind)
{
	return (struct config_list){.name = (char *)name,
		.zone = (char *)"bl.test",
		.kind = kind,
		.title = (char *)"A list",
		.code = 0x7f000002,
		.text = (char *)"Listed, see https://portal.test/$",
		.url = (char *)"https://portal.test/$",
		.automatic = true,
		.threshold = 2,
		.window = 86400,
		.distinct_traps = 1,
		.ip6_prefix = 64,
		.lifetime = 7 * 86400,
		.lifetime_max = 90 * 86400,
		.leave = LEAVE_REQUEST,
		.leave_fcrdns = true,
		.leave_quiet = 3600,
		.leave_max = 2,
		.leave_period = 30 * 86400};
}

static int world_new(void **state)
{
	struct world *w = mem_new(1, sizeof *w);
	struct err err = {0};

	w->lists[0] = list_base("ip", LIST_IP);
	w->lists[1] = list_base("domain", LIST_DOMAIN);
	w->lists[2] = list_base("feed", LIST_IP);
	w->lists[2].automatic = false;
	w->config = (struct config){.lists = w->lists, .list_count = 3};
	w->config.listd.weights = (struct config_weights){1, 1, 1, 5};
	assert_true(prefix_parse(SLICE("9.9.9.0/24"), &w->never[0], &err));
	w->never_domains[0] = (char *)"big.com";
	w->config.listd.never = (struct prefixes){w->never, 1};
	w->config.listd.never_domains = (struct strings){w->never_domains, 1};
	w->store = store_open(test_store_empty(), &err);
	assert_non_null(w->store);
	w->now_ms = NOW;
	w->desk = (struct desk){.config = &w->config,
		.ledger = ledger_open(&w->config, w->store, NOW, &err),
		.roles = {.own = 1000,
			.trapd = 1001,
			.webd = 1002,
			.gated = 1003,
			.dnsd = (uid_t)-1}};
	assert_non_null(w->desk.ledger);
	w->admin = (struct asker){.uid = 0, .role = ROLE_ADMIN};
	w->trapd = (struct asker){.uid = 1001, .role = ROLE_TRAPD};
	w->webd = (struct asker){.uid = 1002, .role = ROLE_WEBD};
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;

	ledger_free(w->desk.ledger);
	store_close(w->store);
	free(w);
	return 0;
}

/* Asks and commits; the caller frees. `text` is JSON with ' for ". */
static json_t *ask(struct world *w, struct asker *who, const char *text)
{
	char *json = mem_str(text);
	struct err err;
	json_t *message, *reply;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	message = json_loads(json, JSON_DECODE_ANY, NULL);
	if (!message)
		fail_msg("the test's JSON is wrong: %s", json);
	free(json);
	reply = requests_answer(&w->desk, who, message, w->now_ms);
	json_decref(message);
	assert_true(store_commit(w->store, &err));
	return reply;
}

static const char *text_at(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static int64_t number_at(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void expect_ok(struct world *w, struct asker *who, const char *text)
{
	json_t *r = ask(w, who, text);

	if (!json_is_true(json_object_get(r, "ok")))
		fail_msg("%s: %s", text, text_at(r, "error"));
	json_decref(r);
}

static void expect_refused(struct world *w, struct asker *who, const char *text, const char *reason)
{
	json_t *r = ask(w, who, text);

	assert_true(json_is_false(json_object_get(r, "ok")));
	if (!slice_eq(slice_str(text_at(r, "reason")), slice_str(reason)))
		fail_msg("%s: reason '%s' (%s), not '%s'", text, text_at(r, "reason"),
			text_at(r, "error"), reason);
	assert_true(text_at(r, "error")[0] != '\0');
	json_decref(r);
}

/* `why` is a reason as JSON with ' for ". */
static void assert_why(const json_t *o, const char *name, const char *why)
{
	char *json = mem_str(why), *found;
	json_t *wanted;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	wanted = json_loads(json, 0, NULL);
	assert_non_null(wanted);
	found = json_dumps(json_object_get(o, name), JSON_COMPACT | JSON_ENCODE_ANY);
	if (!json_equal(json_object_get(o, name), wanted))
		fail_msg("%s is %s, not %s", name, found, json);
	json_decref(wanted);
	free(found);
	free(json);
}

/* The nth newest line about a subject. */
static void assert_journal(
	struct world *w, const char *subject, size_t n, const char *action, const char *why)
{
	char text[300];
	json_t *r, *e;

	snprintf(text, sizeof text, "{'type':'journal','subject':'%s'}", subject);
	r = ask(w, &w->admin, text);
	e = json_array_get(json_object_get(r, "entries"), n);
	assert_string_equal(text_at(e, "action"), action);
	assert_why(e, "reason", why);
	json_decref(r);
}

/* How many listings one piece of evidence made. */
static size_t hit(
	struct world *w, const char *uid, const char *ip, const char *trap, const char *class)
{
	char text[512];
	size_t count;
	json_t *r;

	snprintf(text, sizeof text,
		"{'type':'evidence','id':7,'kind':'trap-hit','class':'%s','uid':'%s','ip':'%s','"
		"trap':'%s',"
		"'domains':['bad.biz'],'sensor':'one','helo':'x','sample':'Subject: hi'}",
		class, uid, ip, trap);
	r = ask(w, &w->trapd, text);
	if (!json_is_true(json_object_get(r, "ok")))
		fail_msg("%s: %s", text, text_at(r, "error"));
	assert_int_equal(number_at(r, "id"), 7);
	count = json_array_size(json_object_get(r, "listings"));
	json_decref(r);
	return count;
}

static json_t *first_listing(struct world *w, const char *subject, json_t **ret_reply)
{
	char text[300];

	snprintf(text, sizeof text, "{'type':'lookup','subject':'%s'}", subject);
	*ret_reply = ask(w, &w->webd, text);
	return json_array_get(json_object_get(*ret_reply, "listings"), 0);
}

static void assert_state(struct world *w, const char *subject, const char *state)
{
	json_t *r, *g = first_listing(w, subject, &r);

	assert_string_equal(g ? text_at(g, "state") : "none", state);
	json_decref(r);
}

static void evidence_lists_and_expires(void **state)
{
	struct world *w = *state;
	int count;
	json_t *r, *g;

	assert_int_equal(hit(w, "u1", "5.6.7.8", "aa", "spam"), 0);
	assert_int_equal(
		hit(w, "u1", "5.6.7.8", "aa", "spam"), 0); /* the same again: counted once */
	assert_state(w, "5.6.7.8", "none");
	assert_int_equal(hit(w, "u2", "5.6.7.8", "bb", "spam"), 2); /* the address and bad.biz */
	g = first_listing(w, "5.6.7.8", &r);
	assert_string_equal(text_at(g, "state"), "active");
	assert_string_equal(text_at(g, "code"), "127.0.0.2");
	assert_int_equal(number_at(g, "expires"), NOW + 7 * DAY);
	assert_int_equal(json_array_size(json_object_get(g, "evidence")), 2);
	assert_null(json_object_get(json_array_get(json_object_get(g, "evidence"), 0), "trap"));
	assert_int_equal(json_array_size(json_object_get(r, "history")), 1);
	json_decref(r);
	assert_state(w, "www.bad.biz", "active"); /* its parent is listed */
	w->now_ms = NOW + 7 * DAY;
	assert_state(w, "5.6.7.8", "expired"); /* also before the sweep */
	assert_true(store_begin(w->store, NULL));
	assert_true(ledger_expire(w->desk.ledger, w->now_ms, 100, &count, NULL));
	assert_true(store_commit(w->store, NULL));
	assert_int_equal(count, 2);
	assert_state(w, "5.6.7.8", "expired");
	assert_int_equal(hit(w, "u3", "5.6.7.8", "aa", "spam"), 0);
	assert_int_equal(hit(w, "u4", "5.6.7.8", "aa", "spam"), 2);
	g = first_listing(w, "5.6.7.8", &r);
	assert_int_equal(number_at(g, "relist"), 1);
	assert_int_equal(number_at(g, "expires"), w->now_ms + 14 * DAY);
	json_decref(r);
}

static void what_is_no_spam_lists_nobody(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 5; i++) {
		char uid[8];

		snprintf(uid, sizeof uid, "b%d", i);
		assert_int_equal(
			hit(w, uid, "5.6.7.8", "aa", i & 1 ? "backscatter" : "auto-reply"), 0);
	}
	assert_state(w, "5.6.7.8", "none");
}

/* Mail from ourselves without a link: nobody to list, and still what the trap took is counted. */
static void evidence_without_subject_is_kept(void **state)
{
	struct world *w = *state;
	json_t *r;

	expect_ok(w, &w->trapd, "{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u'}");
	r = ask(w, &w->trapd, "{'type':'status'}");
	assert_int_equal(number_at(r, "evidence"), 1);
	json_decref(r);
}

static void ip6_is_listed_by_prefix(void **state)
{
	struct world *w = *state;
	json_t *r, *g;

	hit(w, "u1", "2a01:4f8:1:2::1", "aa", "spam");
	hit(w, "u2", "2a01:4f8:1:2:ffff::9", "aa", "spam");
	g = first_listing(w, "2a01:4f8:1:2::77", &r);
	assert_non_null(g);
	assert_string_equal(text_at(g, "subject"), "2a01:4f8:1:2::/64");
	json_decref(r);
	r = ask(w, &w->webd,
		"{'type':'removal','list':'ip','subject':'2a01:4f8:1:2::77','fcrdns':'a.b.org'}");
	assert_string_equal(text_at(r, "reason"), "quiet");
	json_decref(r);
	w->now_ms += HOUR;
	r = ask(w, &w->webd,
		"{'type':'removal','list':'ip','subject':'2a01:4f8:1:2::77','fcrdns':'a.b.org'}");
	assert_true(json_is_true(json_object_get(r, "removed")));
	json_decref(r);
	assert_state(w, "2a01:4f8:1:2::77", "removed");
}

static void protected_is_never_listed(void **state)
{
	struct world *w = *state;
	json_t *r;

	hit(w, "u1", "9.9.9.9", "aa", "spam");
	hit(w, "u2", "9.9.9.9", "aa", "spam");
	hit(w, "u3", "9.9.9.9", "aa", "spam");
	assert_state(w, "9.9.9.9", "none");
	r = ask(w, &w->admin, "{'type':'journal','subject':'9.9.9.9'}");
	assert_int_equal(
		json_array_size(json_object_get(r, "entries")), 1); /* refused, told once a day */
	assert_string_equal(
		text_at(json_array_get(json_object_get(r, "entries"), 0), "action"), "refused");
	assert_why(json_array_get(json_object_get(r, "entries"), 0), "reason",
		"{'code':'protected','entry':'9.9.9.0/24'}");
	json_decref(r);
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'9.9.0.0/16','reason':'x'}", "refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'127.0.0.1','reason':'x'}", "refused");
	expect_refused(w, &w->admin, "{'type':'add','list':'ip','subject':'10.1.2.3','reason':'x'}",
		"refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'4.0.0.0/6','reason':'x'}", "refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'domain','subject':'mail.big.com','reason':'x'}", "refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'domain','subject':'co.uk','reason':'x'}", "refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'domain','subject':'example.org','reason':'x'}", "refused");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'domain','subject':'5.6.7.8','reason':'x'}", "refused");
	expect_refused(w, &w->admin, "{'type':'add','list':'domain','subject':'com','reason':'x'}",
		"subject");
}

static void removal_follows_the_policy(void **state)
{
	struct world *w = *state;
	static const char request[] =
		"{'type':'removal','list':'ip','subject':'5.6.7.8','fcrdns':'h.x.org'}";
	json_t *r;

	r = ask(w, &w->webd, request);
	assert_string_equal(text_at(r, "reason"), "not-listed");
	json_decref(r);
	hit(w, "u1", "5.6.7.8", "aa", "spam");
	hit(w, "u2", "5.6.7.8", "aa", "spam");
	r = ask(w, &w->webd, "{'type':'removal','list':'ip','subject':'5.6.7.8'}");
	assert_string_equal(text_at(r, "reason"), "fcrdns");
	json_decref(r);
	r = ask(w, &w->webd, request);
	assert_true(json_is_true(json_object_get(r, "ok")));
	assert_true(json_is_false(json_object_get(r, "removed")));
	assert_string_equal(text_at(r, "reason"), "quiet");
	assert_int_equal(number_at(r, "until"), NOW + HOUR);
	json_decref(r);
	w->now_ms += HOUR;
	r = ask(w, &w->webd, request);
	assert_true(json_is_true(json_object_get(r, "removed")));
	json_decref(r);
	assert_state(w, "5.6.7.8", "removed");
	/* What was forgiven does not list again; new evidence does, and leaving is harder then. */
	w->now_ms += 1;
	assert_int_equal(hit(w, "u3", "5.6.7.8", "aa", "spam"), 0);
	assert_state(w, "5.6.7.8", "removed");
	assert_int_equal(hit(w, "u4", "5.6.7.8", "aa", "spam"), 1);
	assert_state(w, "5.6.7.8", "active");
	w->now_ms += HOUR;
	r = ask(w, &w->webd, request);
	assert_string_equal(text_at(r, "reason"), "quiet");
	json_decref(r);
	w->now_ms += HOUR;
	r = ask(w, &w->webd, request);
	assert_true(json_is_true(json_object_get(r, "removed")));
	json_decref(r);
	w->now_ms += 1;
	hit(w, "u5", "5.6.7.8", "aa", "spam");
	hit(w, "u6", "5.6.7.8", "aa", "spam");
	w->now_ms += 12 * HOUR;
	r = ask(w, &w->webd, request);
	assert_string_equal(text_at(r, "reason"), "too-many");
	json_decref(r);
}

static void by_hand(void **state)
{
	struct world *w = *state;
	json_t *r, *g;

	expect_ok(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.0/24','reason':'spam gang'}");
	g = first_listing(w, "5.6.7.99", &r);
	assert_string_equal(text_at(g, "subject"), "5.6.7.0/24");
	assert_why(g, "cause", "{'code':'by-hand','text':'spam gang'}");
	assert_int_equal(number_at(g, "expires"), 0);
	json_decref(r);
	r = ask(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.0/24','reason':'spam gang'}");
	assert_true(json_is_false(json_object_get(r, "new")));
	json_decref(r);
	expect_ok(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.0/"
		"24','reason':'x','code':'127.0.0.9'}");
	r = ask(w, &w->admin, "{'type':'status'}");
	assert_int_equal(number_at(r, "serial"), 2);
	assert_int_equal(number_at(json_array_get(json_object_get(r, "lists"), 0), "active"), 1);
	json_decref(r);
	expect_ok(w, &w->admin,
		"{'type':'remove','list':'ip','subject':'5.6.7.0/24','reason':'gone'}");
	assert_state(w, "5.6.7.99", "removed");
	r = ask(w, &w->admin,
		"{'type':'remove','list':'ip','subject':'5.6.7.0/24','reason':'gone'}");
	assert_true(json_is_false(json_object_get(r, "removed")));
	json_decref(r);
	expect_refused(w, &w->admin,
		"{'type':'add','list':'none','subject':'5.6.7.0/24','reason':'x'}", "list");
	expect_refused(w, &w->admin, "{'type':'add','list':'ip','subject':'5.6.7.0/24'}", "field");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.1/24','reason':'x'}", "subject");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.0/24','reason':'x','code':'8.0.0.2'}",
		"field");
	expect_refused(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.0/24','reason':'x','expires':5}",
		"refused");
}

static void imports_tell_each_refusal(void **state)
{
	struct world *w = *state;
	json_t *r = ask(w, &w->admin,
		"{'type':'import','list':'feed','feed':'f','items':['1.2.3.4','1.2.3.4','x "
		"y','10.0.0.1','8.8.8.0/24',5]}");

	assert_int_equal(number_at(r, "added"), 2);
	assert_int_equal(number_at(r, "kept"), 1);
	assert_int_equal(json_array_size(json_object_get(r, "refused")), 3);
	json_decref(r);
	r = ask(w, &w->admin, "{'type':'export','list':'feed','after':'','limit':1}");
	assert_int_equal(json_array_size(json_object_get(r, "listings")), 1);
	assert_true(json_is_true(json_object_get(r, "more")));
	json_decref(r);
	r = ask(w, &w->admin, "{'type':'export','list':'feed','after':'1.2.3.4'}");
	assert_int_equal(json_array_size(json_object_get(r, "listings")), 1);
	assert_true(json_is_false(json_object_get(r, "more")));
	json_decref(r);
}

static void bad_messages_change_nothing(void **state)
{
	struct world *w = *state;
	struct asker stranger = {.uid = 4242}, trap = {.uid = 1001};
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"[]", "syntax"},
		{"5", "syntax"},
		{"{}", "syntax"},
		{"{'type':5}", "syntax"},
		{"{'type':'nonsense'}", "unknown-type"},
		{"{'type':'add'}", "role"},
		{"{'type':'import','items':[]}", "role"},
		{"{'type':'removal'}", "role"},
		{"{'type':'hello','role':'trapd'}", "role"},
		{"{'type':'evidence'}", "field"},
		{"{'type':'evidence','kind':'x','class':'spam','uid':'u','ip':'5.6.7.8'}", "field"},
		{"{'type':'evidence','kind':'trap-hit','class':'x','uid':'u','ip':'5.6.7.8'}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','ip':'5.6.7.0/24'}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','share':101}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','ip':'bad.biz'}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','ip':'5.6.7.8','at'"
		 ":-1}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','ip':'5.6.7.8','at'"
		 ":'now'}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','ip':'5.6.7.8','"
		 "port':65536}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'','ip':'5.6.7.8'}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'a\\nb','ip':'5.6.7.8'"
		 "}",
			"field"},
		{"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u','domains':'bad.biz'"
		 "}",
			"field"},
	};
	json_t *r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_refused(w, &w->trapd, cases[i].text, cases[i].reason);
	expect_refused(w, &stranger, "{'type':'status'}", "hello-first");
	expect_refused(w, &stranger, "{'type':'hello','role':'admin'}", "role");
	expect_refused(w, &stranger, "{'type':'hello','role':'trapd'}", "role");
	expect_refused(w, &trap, "{'type':'hello','role':'webd'}", "role");
	expect_ok(w, &trap, "{'type':'hello','role':'trapd'}");
	r = ask(w, &w->admin, "{'type':'status'}");
	assert_int_equal(number_at(r, "serial"), 0);
	assert_int_equal(number_at(r, "evidence"), 0);
	json_decref(r);
}

static void journal_cannot_be_rewritten(void **state)
{
	struct world *w = *state;

	expect_ok(w, &w->admin, "{'type':'add','list':'ip','subject':'5.6.7.8','reason':'x'}");
	assert_false(store_test_execute(w->store, "UPDATE journal SET who = 'nobody'"));
	assert_false(store_test_execute(w->store, "DELETE FROM journal"));
}

static void each_change_says_why(void **state)
{
	struct world *w = *state;
	json_t *r, *g;

	hit(w, "u1", "5.6.7.8", "aa", "spam");
	hit(w, "u2", "5.6.7.8", "bb", "spam");
	g = first_listing(w, "5.6.7.8", &r);
	assert_why(g, "cause",
		"{'code':'threshold','weight':2,'window_s':86400,'traps':2,'threshold':2,"
		"'lifetime_s':604800,'relist':0}");
	json_decref(r);
	w->now_ms += 5 * HOUR;
	hit(w, "u3", "5.6.7.8", "aa", "spam");
	assert_journal(w, "5.6.7.8", 0, "renewed", "{'code':'more-evidence','lifetime_s':604800}");
	w->now_ms += 2 * HOUR;
	expect_ok(w, &w->webd,
		"{'type':'removal','list':'ip','subject':'5.6.7.8','fcrdns':'h.x.org'}");
	assert_journal(w, "5.6.7.8", 0, "removed", "{'code':'asked','host':'h.x.org'}");
	expect_ok(w, &w->admin, "{'type':'import','list':'ip','feed':'f','items':['5.6.7.8']}");
	assert_journal(w, "5.6.7.8", 0, "imported", "{'code':'feed','feed':'f'}");
	expect_ok(w, &w->admin, "{'type':'remove','list':'ip','subject':'5.6.7.8','reason':'誤'}");
	assert_journal(w, "5.6.7.8", 0, "removed", "{'code':'by-hand','text':'誤'}");
}

/* A store from before there were codes: what it holds is told as it stands. */
static void old_reasons_stay_words(void **state)
{
	struct world *w = *state;
	json_t *r, *g;

	expect_ok(w, &w->admin, "{'type':'add','list':'ip','subject':'5.6.7.8','reason':'x'}");
	assert_true(store_test_execute(w->store, "UPDATE listing SET cause = 'by hand: x'"));
	assert_true(store_test_execute(w->store,
		"INSERT INTO journal(at, who, action, list, subject, reason)"
		" VALUES (1, 'admin:0', 3, 1, '5.6.7.8', 'expired')"));
	g = first_listing(w, "5.6.7.8", &r);
	assert_why(g, "cause", "{'code':'words','text':'by hand: x'}");
	json_decref(r);
	assert_journal(w, "5.6.7.8", 0, "removed", "{'code':'words','text':'expired'}");
	expect_ok(w, &w->admin,
		"{'type':'add','list':'ip','subject':'5.6.7.8','reason':'y','text':'z'}");
	g = first_listing(w, "5.6.7.8", &r);
	assert_why(g, "cause", "{'code':'by-hand','text':'y'}");
	json_decref(r);
}

static void allow_list_acts_on_what_stands(void **state)
{
	struct world *w = *state;
	struct err err;

	expect_ok(w, &w->admin, "{'type':'add','list':'ip','subject':'5.6.7.8','reason':'x'}");
	assert_true(prefix_parse(SLICE("5.6.0.0/16"), &w->never[0], &err));
	ledger_free(w->desk.ledger);
	w->desk.ledger = ledger_open(&w->config, w->store, NOW + 1, &err);
	assert_non_null(w->desk.ledger);
	assert_state(w, "5.6.7.8", "removed");
	assert_journal(w, "5.6.7.8", 0, "removed", "{'code':'protected','entry':'5.6.0.0/16'}");
}

static void replies_fit_into_a_record(void **state)
{
	struct world *w = *state;
	char *text = mem_new(1, 70000);
	json_t *r, *g;

	for (int i = 0; i < 12; i++) {
		size_t n = (size_t)snprintf(text, 70000,
			"{'type':'evidence','kind':'trap-hit','class':'spam','uid':'u%d','ip':'5.6."
			"7.8','sample':'",
			i);

		for (int k = 0; k < 9000; k++)
			n += (size_t)snprintf(text + n, 70000 - n, "\\u0001");
		snprintf(text + n, 70000 - n, "'}");
		expect_ok(w, &w->trapd, text);
	}
	free(text);
	g = first_listing(w, "5.6.7.8", &r);
	assert_int_equal(json_array_size(json_object_get(g, "evidence")), 10);
	assert_true(json_dumpb(r, NULL, 0, JSON_COMPACT) < (size_t)120 * 1024);
	json_decref(r);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(evidence_lists_and_expires),
		WITH_WORLD(what_is_no_spam_lists_nobody),
		WITH_WORLD(evidence_without_subject_is_kept),
		WITH_WORLD(ip6_is_listed_by_prefix),
		WITH_WORLD(protected_is_never_listed),
		WITH_WORLD(removal_follows_the_policy),
		WITH_WORLD(by_hand),
		WITH_WORLD(imports_tell_each_refusal),
		WITH_WORLD(bad_messages_change_nothing),
		WITH_WORLD(journal_cannot_be_rewritten),
		WITH_WORLD(each_change_says_why),
		WITH_WORLD(old_reasons_stay_words),
		WITH_WORLD(allow_list_acts_on_what_stands),
		WITH_WORLD(replies_fit_into_a_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
