/* test_ledger.c - the ledger against a naive model of the published rules, over random histories. */
#include "prop.h"
#include "test_store.h"

#include "ledger/ledger.h"

#define SECOND ((int64_t)1000)
#define START ((int64_t)1800000000000)
#define SUBJECTS 4
#define STEPS 2500
#define WINDOW_S 100
#define LIFETIME_S 300
#define LIFETIME_MAX_S 1000
#define QUIET_S 40
#define LEAVE_MAX 2
#define LEAVE_PERIOD_S 2000

/* ---- the model: slow, and written from the words in policy.h alone ---- */

struct hit {
	int64_t at;
	int subject;
	bool spam;
};

struct model_listing {
	bool ever, active;
	int64_t expires, ended, removed;
	int relist;
};

struct model {
	struct hit hits[STEPS];
	int hit_count;
	struct model_listing listings[SUBJECTS];
	struct {
		int64_t at;
		int subject;
	} granted[STEPS];
	int granted_count;
	int64_t now;
};

static int64_t model_lifetime(int relist)
{
	int64_t s = LIFETIME_S;

	for (int i = 0; i < relist; i++)
		s = MIN(s * 2, LIFETIME_MAX_S);
	return s * SECOND;
}

static int64_t model_quiet(int relist)
{
	int64_t s = QUIET_S;

	for (int i = 0; i < relist; i++)
		s = MIN(s * 2, model_lifetime(relist) / SECOND);
	return s * SECOND;
}

static void model_expire(struct model *m)
{
	for (int i = 0; i < SUBJECTS; i++) {
		struct model_listing *l = &m->listings[i];

		if (l->active && l->expires <= m->now) {
			l->active = false;
			l->ended = l->expires;
		}
	}
}

static void model_hit(struct model *m, int subject, bool spam)
{
	struct model_listing *l = &m->listings[subject];
	int weight = 0;

	m->hits[m->hit_count++] = (struct hit){m->now, subject, spam};
	if (!spam)
		return;
	for (int i = 0; i < m->hit_count; i++) {
		const struct hit *h = &m->hits[i];

		if (h->spam && h->subject == subject && h->at >= m->now - WINDOW_S * SECOND
			&& h->at > l->removed)
			weight++;
	}
	if (weight == 0)
		return;
	if (l->active) {
		int64_t expires = m->now + model_lifetime(l->relist);

		if (expires - l->expires >= model_lifetime(l->relist) / 100)
			l->expires = expires;
		return;
	}
	if (weight < 3)
		return;
	l->relist = !l->ever || m->now - l->ended >= LIFETIME_MAX_S * SECOND ? 0 : l->relist + 1;
	l->ever = l->active = true;
	l->expires = m->now + model_lifetime(l->relist);
}

static bool model_request(struct model *m, int subject)
{
	struct model_listing *l = &m->listings[subject];
	int granted = 0;

	if (!l->active)
		return false;
	for (int i = 0; i < m->granted_count; i++)
		granted += m->granted[i].subject == subject
			   && m->granted[i].at >= m->now - LEAVE_PERIOD_S * SECOND;
	if (granted >= LEAVE_MAX)
		return false;
	for (int i = 0; i < m->hit_count; i++)
		if (m->hits[i].spam && m->hits[i].subject == subject
			&& m->hits[i].at + model_quiet(l->relist) > m->now)
			return false;
	m->granted[m->granted_count].at = m->now;
	m->granted[m->granted_count++].subject = subject;
	l->active = false;
	l->ended = l->removed = m->now;
	return true;
}

/* ---- the real thing beside it ---- */

static struct prop chance;

static int below(int n)
{
	return (int)prop_below(&chance, (uint32_t)n);
}

struct world {
	struct config_list list;
	struct config config;
	struct store *store;
	struct ledger *ledger;
	struct subject subjects[SUBJECTS];
	int uids;
};

static void world_open(struct world *w)
{
	struct err err = {0};

	*w = (struct world){.list = {.name = (char *)"bl",
				    .text = (char *)"",
				    .kind = LIST_IP,
				    .code = 0x7f000002,
				    .automatic = true,
				    .threshold = 3,
				    .window = WINDOW_S,
				    .distinct_traps = 1,
				    .ip6_prefix = 64,
				    .lifetime = LIFETIME_S,
				    .lifetime_max = LIFETIME_MAX_S,
				    .leave = LEAVE_REQUEST,
				    .leave_quiet = QUIET_S,
				    .leave_max = LEAVE_MAX,
				    .leave_period = LEAVE_PERIOD_S}};
	w->config = (struct config){.lists = &w->list, .list_count = 1};
	w->config.listd.weights = (struct config_weights){1, 1, 1, 1};
	w->store = store_open(test_store_empty(), &err);
	assert_non_null(w->store);
	w->ledger = ledger_open(&w->config, w->store, START, &err);
	assert_non_null(w->ledger);
	for (int i = 0; i < SUBJECTS; i++) {
		struct ip ip = ip4_of(0x05060700u + (uint32_t)i);
		struct prefix p = prefix_of(&ip, 32);

		subject_of_prefix(&p, &w->subjects[i]);
	}
}

static void world_hit(struct world *w, int subject, bool spam, bool again, int64_t now)
{
	struct ledger_evidence_result *r = mem_new(1, sizeof *r);
	struct evidence e = {.kind = EVIDENCE_TRAP_HIT,
		.class = spam ? CLASS_SPAM : CLASS_BACKSCATTER,
		.at_ms = now,
		.share = 100,
		.trap = SLICE("t")};
	char uid[32];
	struct err err = {0};

	w->uids += !again;
	snprintf(uid, sizeof uid, "u%d", w->uids);
	e.uid = slice_str(uid);
	if (!ledger_evidence(w->ledger, &e, &w->subjects[subject], NULL, 0, "trapd", now, r, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r->known, again);
	free(r);
}

static bool world_request(struct world *w, int subject, int64_t now)
{
	struct ledger_removal request = {.list = ledger_list_at(w->ledger, 0),
		.subject = &w->subjects[subject],
		.who = "webd"};
	struct policy_removal_decision d;
	struct err err = {0};

	if (!ledger_request_removal(w->ledger, &request, now, &d, &err))
		fail_msg("%s", err.text);
	return d.outcome == REMOVAL_GRANTED;
}

static void compare(struct world *w, const struct model *m, int step)
{
	int64_t id = ledger_list_at(w->ledger, 0)->id, active;
	int expected_active = 0;
	struct err err = {0};

	for (int i = 0; i < SUBJECTS; i++) {
		const struct model_listing *l = &m->listings[i];
		struct listing g;
		bool found, is_active;

		assert_true(store_listing_get(w->store, id, w->subjects[i].text, &g, &found, &err));
		is_active = found && g.state == LISTING_ACTIVE && g.expires_ms > m->now;
		if (found != l->ever || is_active != l->active
			|| (l->active && g.expires_ms != l->expires)
			|| (l->ever && (int)g.relist != l->relist))
			fail_msg("step %d, subject %d: active %d expires %lld relist %u; the "
				 "model: %d %lld %d",
				step, i, is_active, (long long)(found ? g.expires_ms : 0),
				found ? g.relist : 0, l->active, (long long)l->expires, l->relist);
		expected_active += found && g.state == LISTING_ACTIVE;
	}
	assert_true(store_active_count(w->store, id, &active, &err));
	assert_int_equal(active, expected_active);
}

static void play(uint64_t round)
{
	struct world *w = mem_new(1, sizeof *w);
	struct model *m = mem_new(1, sizeof *m);
	struct err err = {0};

	chance = prop_new(round);
	print_message("  PROP_SEED=%llu\n", (unsigned long long)chance.state);
	world_open(w);
	m->now = START;
	for (int step = 0; step < STEPS; step++) {
		int subject = below(SUBJECTS), what = below(100), ended;

		/* Mostly a little time, now and then a lot. */
		m->now += below(10) == 0 ? below(1200) * SECOND : below(60) * SECOND / 4 + 1;
		model_expire(m);
		assert_true(store_begin(w->store, &err));
		if (what < 60) {
			bool spam = below(4) > 0;

			world_hit(w, subject, spam, false, m->now);
			model_hit(m, subject, spam);
		} else if (what < 70 && w->uids > 0) {
			world_hit(w, subject, true, true, m->now);
		} else if (what < 90) {
			bool granted = model_request(m, subject);

			if (world_request(w, subject, m->now) != granted)
				fail_msg("step %d: the model %s the removal", step,
					granted ? "grants" : "refuses");
		} else if (what < 95) {
			assert_true(ledger_expire(w->ledger, m->now, 10, &ended, &err));
		} else {
			/* A group that is lost leaves nothing. */
			world_hit(w, subject, true, false, m->now);
			w->uids--;
			store_rollback(w->store);
		}
		assert_true(store_commit(w->store, &err));
		compare(w, m, step);
	}
	ledger_free(w->ledger);
	store_close(w->store);
	free(w);
	free(m);
}

static void ledger_equals_the_model(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 4; round++)
		play(round);
}

/* The same for the server, whose version stands in a table. */
static void a_server_of_tomorrow_is_refused(void **state)
{
	struct err err = {0};
	struct store *s;

	(void)state;
	if (!test_store_is_server())
		skip();
	s = store_open(test_store_empty(), &err);
	assert_non_null(s);
	assert_true(store_test_execute(s, "UPDATE meta SET value = 99 WHERE key = 'schema'"));
	store_close(s);
	assert_null(store_open(getenv("SEKISHO_TEST_STORE"), &err));
	assert_non_null(strstr(err.text, "version 99"));
}

static void a_store_of_tomorrow_is_refused(void **state)
{
	char folder[] = "/tmp/test-ledger-XXXXXX", path[64], command[128];
	struct err err = {0};
	struct store *s;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/store.db", folder);
	s = store_open(path, &err);
	assert_non_null(s);
	assert_true(store_test_execute(s, "PRAGMA user_version = 99"));
	store_close(s);
	assert_null(store_open(path, &err));
	assert_non_null(strstr(err.text, "version 99"));
	/* Not a store at all: told, and left alone. */
	snprintf(command, sizeof command, "echo not a database, only some words > %s", path);
	assert_int_equal(system(command), 0);
	assert_null(store_open(path, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

/* A store of the first schema counts on from where it was. */
static void a_store_of_yesterday_counts_on(void **state)
{
	char folder[] = "/tmp/test-ledger-XXXXXX", path[64], command[128];
	struct listing g = {.subject = "5.6.7.8", .state = LISTING_ACTIVE};
	struct err err = {0};
	struct store *s;
	int64_t serial;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/store.db", folder);
	s = store_open(path, &err);
	assert_non_null(s);
	assert_true(store_begin(s, &err) && store_list_id(s, "bl", &g.list, &err));
	assert_true(store_change_add(s, STORE_OP_PUT, &g, &err));
	assert_true(store_change_add(s, STORE_OP_PUT, &g, &err));
	assert_true(store_commit(s, &err));
	assert_true(
		store_test_execute(s, "DELETE FROM change; DELETE FROM meta WHERE key = 'serial';"
				      "PRAGMA user_version = 1"));
	store_close(s);
	s = store_open(path, &err);
	assert_non_null(s);
	assert_true(store_serial(s, &serial, &err));
	assert_int_equal(serial, 2);
	store_close(s);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

/* What is taken back takes its numbers back: readers see all of them in order. */
static void serials_have_no_holes(void **state)
{
	struct listing g = {.subject = "5.6.7.8", .state = LISTING_ACTIVE};
	struct err err = {0};
	struct store *s = store_open(test_store_empty(), &err);
	int64_t serial, before;

	(void)state;
	assert_non_null(s);
	assert_true(store_begin(s, &err) && store_list_id(s, "bl", &g.list, &err));
	assert_true(store_change_add(s, STORE_OP_PUT, &g, &err) && store_serial(s, &before, &err));
	assert_true(store_save(s, &err) && store_change_add(s, STORE_OP_PUT, &g, &err));
	assert_true(store_serial(s, &serial, &err));
	assert_int_equal(serial, before + 1);
	store_undo(s);
	assert_true(store_serial(s, &serial, &err));
	assert_int_equal(serial, before);
	assert_true(store_commit(s, &err));
	assert_true(store_begin(s, &err) && store_change_add(s, STORE_OP_REMOVE, &g, &err));
	store_rollback(s);
	assert_true(store_begin(s, &err) && store_change_add(s, STORE_OP_REMOVE, &g, &err));
	assert_true(store_commit(s, &err) && store_serial(s, &serial, &err));
	assert_int_equal(serial, before + 1);
	store_close(s);
}

static void subjects_have_one_text(void **state)
{
	static const struct {
		const char *text, *canonical; /* NULL: refused */
	} cases[] = {
		{"5.6.7.8", "5.6.7.8"},
		{" 5.6.7.8/32\r\n", "5.6.7.8"},
		{"5.6.7.0/24", "5.6.7.0/24"},
		{"5.6.7.8/24", NULL},
		{"::ffff:5.6.7.8", "5.6.7.8"},
		{"::ffff:5.6.7.0/120", "5.6.7.0/24"},
		{"2A01:04F8:0:0::1", "2a01:4f8::1"},
		{"2a01:4f8::/64", "2a01:4f8::/64"},
		{"Bad.BIZ.", "bad.biz"},
		{"b\xc3\xbc"
		 "cher.biz",
			"xn--bcher-kva.biz"},
		{"com", NULL},
		{"a b.biz", NULL},
		{"a\\.b.biz", NULL},
		{"5.6.7", NULL},
		{"5.6.7.8.9", NULL},
		{"", NULL},
		{"..", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice text = exact(cases[i].text, strlen(cases[i].text));
		struct subject s, again;
		bool ok = subject_parse(text, &s, NULL);

		if (ok != (cases[i].canonical != NULL))
			fail_msg("'%s' is %s", cases[i].text, ok ? s.text : "refused");
		if (ok) {
			assert_string_equal(s.text, cases[i].canonical);
			assert_true(subject_parse(slice_str(s.text), &again, NULL));
			assert_string_equal(again.text, s.text);
		}
		exact_free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ledger_equals_the_model),
		cmocka_unit_test(a_store_of_tomorrow_is_refused),
		cmocka_unit_test(a_server_of_tomorrow_is_refused),
		cmocka_unit_test(a_store_of_yesterday_counts_on),
		cmocka_unit_test(serials_have_no_holes),
		cmocka_unit_test(subjects_have_one_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
