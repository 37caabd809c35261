/* test_publish.c - what is published equals the store, whatever died in between. */
#include "test_store.h"

#include "index/changelog.h"
#include "index/index.h"
#include "io/file.h"
#include "ledger/publish.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW ((int64_t)1800000000000)

struct world {
	struct config_list lists[2];
	struct config config;
	char folder[64], store_path[200], snapshot_path[96];
	struct store *store;
	struct ledger *ledger;
	struct publish *publish;
};

static void books_open(struct world *w)
{
	struct err err = {0};

	w->store = store_open(w->store_path, &err);
	if (!w->store)
		fail_msg("%s", err.text);
	w->ledger = ledger_open(&w->config, w->store, NOW, &err);
	assert_non_null(w->ledger);
	w->publish = publish_open(w->ledger, w->folder, w->store_path, NOW, &err);
	if (!w->publish)
		fail_msg("%s", err.text);
}

static void books_close(struct world *w)
{
	publish_close(w->publish);
	ledger_free(w->ledger);
	store_close(w->store);
}

static struct config_list list_of(const char *name, enum list_kind kind)
{
	return (struct config_list){.name = (char *)name,
		.text = (char *)"$ is listed",
		.kind = kind,
		.code = 0x7f000002,
		.ip6_prefix = 64,
		.lifetime = 100,
		.lifetime_max = 100};
}

static int world_new(void **state)
{
	struct world *w = mem_new(1, sizeof *w);

	snprintf(w->folder, sizeof w->folder, "/tmp/test-publish-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	if (test_store_is_server())
		snprintf(w->store_path, sizeof w->store_path, "%s", test_store_empty());
	else
		snprintf(w->store_path, sizeof w->store_path, "%s/store.db", w->folder);
	snprintf(w->snapshot_path, sizeof w->snapshot_path, "%s/snapshot", w->folder);
	w->lists[0] = list_of("ip", LIST_IP);
	w->lists[1] = list_of("domain", LIST_DOMAIN);
	w->config = (struct config){.lists = w->lists, .list_count = 2};
	books_open(w);
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;
	char command[128];

	books_close(w);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void put(
	struct world *w, size_t list, const char *subject, uint32_t code, int64_t expires_ms)
{
	struct subject s;
	struct listing g;
	struct err err = {0};
	struct ledger_entry e = {.list = ledger_list_at(w->ledger, list),
		.subject = &s,
		.code = code,
		.text = "",
		.expires_ms = expires_ms,
		.who = "admin",
		.reason = "test"};
	bool fresh;

	if (!subject_parse(slice_str(subject), &s, &err) || !store_begin(w->store, &err)
		|| !ledger_add(w->ledger, &e, NOW, &g, &fresh, &err)
		|| !store_commit(w->store, &err))
		fail_msg("%s", err.text);
}

static void take(struct world *w, size_t list, const char *subject)
{
	struct subject s;
	struct err err = {0};
	bool removed;

	assert_true(subject_parse(slice_str(subject), &s, &err) && store_begin(w->store, &err)
		    && ledger_remove(w->ledger, ledger_list_at(w->ledger, list), &s, "admin",
			    "test", NOW, &removed, &err)
		    && store_commit(w->store, &err));
	assert_true(removed);
}

static void append(struct world *w)
{
	struct err err = {0};

	if (!publish_append(w->publish, &err))
		fail_msg("%s", err.text);
}

static void snapshot(struct world *w)
{
	struct err err = {0};
	struct pollfd p = {.fd = publish_fd(w->publish), .events = POLLIN};

	assert_true(publish_snapshot_start(w->publish, &err));
	assert_int_equal(poll(&p, 1, 20000), 1);
	if (!publish_snapshot_finish(w->publish, NOW, &err))
		fail_msg("%s", err.text);
}

/* ---- a reader, as dnsd is one: snapshot, then its log ---- */

static void replay(struct world *w, const struct snapshot *s, struct overlay *o)
{
	char path[128];
	struct buf log = BUF_INIT(1 << 24);
	struct slice rest;
	struct change c;
	struct err err = {0};
	size_t used, set;
	int64_t last = (int64_t)snapshot_serial(s);

	snprintf(path, sizeof path, "%s/changes-%lld", w->folder, (long long)last);
	if (!file_read(path, 1 << 24, &log, &err))
		fail_msg("%s", err.text);
	for (rest = buf_slice(&log); rest.len > 0; rest = slice_skip(rest, used)) {
		assert_int_equal(change_decode(rest, &c, &used, &err), CHANGE_READ);
		assert_true((int64_t)c.serial > last);
		last = (int64_t)c.serial;
		assert_true(snapshot_set_find(s, c.set, &set));
		if (c.is_name)
			overlay_put_name(o, set, &c.name, c.scope,
				c.op == CHANGE_ADD ? &c.value : NULL, c.expires_s);
		else
			overlay_put_prefix(o, set, &c.prefix, c.op == CHANGE_ADD ? &c.value : NULL,
				c.expires_s);
	}
	buf_done(&log);
}

/* The code that a reader who starts now would answer; 0: not listed. */
static uint32_t answer(struct world *w, const char *list, const char *subject, int64_t now_s)
{
	struct slice bytes;
	struct err err = {0};
	struct index ix = {0};
	struct overlay *o;
	struct snapshot *s;
	struct subject asked;
	struct asked q;
	struct hit *hits = mem_new(SNAPSHOT_HITS_MAX, sizeof *hits);
	size_t set, n;
	uint32_t code;

	if (!file_load(w->snapshot_path, &bytes, &err) || !(s = snapshot_open(bytes, &err)))
		fail_msg("%s", err.text);
	o = overlay_new(s);
	replay(w, s, o);
	ix.snapshot = s;
	ix.overlay = o;
	assert_true(snapshot_set_find(s, slice_str(list), &set));
	assert_true(subject_parse(slice_str(subject), &asked, &err));
	q = asked.kind == SUBJECT_PREFIX
		    ? asked_ip(&asked.prefix.ip)
		    : asked_of(asked.domain.wire, asked.domain.len, asked.domain.labels);
	n = index_find_in(&ix, set, &q, now_s, hits);
	code = n ? hits[0].value.code : 0;
	overlay_free(o);
	snapshot_close(s);
	file_unload(bytes);
	free(hits);
	return code;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void log_path(struct world *w, char path[128])
{
	snprintf(path, 128, "%s/changes-%lld", w->folder,
		(long long)publish_snapshot_serial(w->publish));
}

#define IS(list, subject, code) assert_int_equal(answer(w, list, subject, NOW / 1000), code)

static void changes_and_snapshots_say_the_same(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 2; round++) {
		put(w, 0, "5.6.7.8", 0, 0);
		put(w, 0, "5.6.8.0/24", 0x7f000009, 0);
		put(w, 0, "2a01:4f8::/64", 0, NOW + 1500);
		put(w, 1, "bad.biz", 0, 0);
		put(w, 0, "6.6.6.6", 0, 0);
		take(w, 0, "6.6.6.6");
		append(w);
		if (round == 1)
			snapshot(w);
		IS("ip", "5.6.7.8", 0x7f000002);
		IS("ip", "5.6.8.77", 0x7f000009);
		IS("ip", "2a01:4f8::1:2", 0x7f000002);
		IS("ip", "6.6.6.6", 0);
		IS("domain", "bad.biz", 0x7f000002);
		IS("domain", "www.bad.biz", 0x7f000002);
		IS("domain", "good.biz", 0);
		assert_int_equal(answer(w, "ip", "2a01:4f8::1:2", NOW / 1000 + 1), 0x7f000002);
		assert_int_equal(
			answer(w, "ip", "2a01:4f8::1:2", NOW / 1000 + 2), 0); /* ended by itself */
	}
	take(w, 0, "5.6.7.8");
	append(w);
	IS("ip", "5.6.7.8", 0);
	snapshot(w);
	IS("ip", "5.6.7.8", 0);
	IS("ip", "5.6.8.77", 0x7f000009);
}

static void a_crash_before_the_append_loses_nothing(void **state)
{
	struct world *w = *state;

	put(w, 0, "5.6.7.8", 0, 0);
	append(w);
	put(w, 0, "5.6.7.9", 0, 0);
	books_close(w); /* committed, never appended */
	books_open(w);
	IS("ip", "5.6.7.8", 0x7f000002);
	IS("ip", "5.6.7.9", 0x7f000002);
}

static void a_torn_end_is_cut(void **state)
{
	struct world *w = *state;
	char path[128];

	put(w, 0, "5.6.7.8", 0, 0);
	put(w, 0, "5.6.7.9", 0, 0);
	append(w);
	log_path(w, path);
	for (int cut = 1; cut < 40; cut++) {
		off_t size = size_of(path);

		books_close(w);
		assert_int_equal(truncate(path, size - cut), 0);
		books_open(w);
		assert_int_equal(size_of(path), size);
		IS("ip", "5.6.7.8", 0x7f000002);
		IS("ip", "5.6.7.9", 0x7f000002);
	}
}

static void flip(const char *path, off_t at)
{
	char c;
	int fd = open(path, O_RDWR);

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 0x10;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void damage_is_replaced(void **state)
{
	struct world *w = *state;
	char path[128];

	put(w, 0, "5.6.7.8", 0, 0);
	append(w);
	log_path(w, path);
	books_close(w);
	flip(path, size_of(path) - 3);
	books_open(w);
	IS("ip", "5.6.7.8", 0x7f000002);
	books_close(w);
	flip(w->snapshot_path, size_of(w->snapshot_path) / 2);
	books_open(w);
	IS("ip", "5.6.7.8", 0x7f000002);
	books_close(w);
	assert_int_equal(unlink(w->snapshot_path), 0);
	books_open(w);
	IS("ip", "5.6.7.8", 0x7f000002);
}

static void an_older_store_does_not_repeat_serials(void **state)
{
	struct world *w = *state;
	int64_t before;

	put(w, 0, "5.6.7.8", 0, 0);
	put(w, 0, "5.6.7.9", 0, 0);
	append(w);
	before = publish_serial(w->publish);
	books_close(w);
	if (test_store_is_server())
		test_store_empty();
	else
		assert_int_equal(unlink(w->store_path), 0);
	books_open(w);
	assert_true(publish_snapshot_serial(w->publish) > before);
	IS("ip", "5.6.7.8", 0);
	put(w, 0, "7.7.7.7", 0, 0);
	append(w);
	IS("ip", "7.7.7.7", 0x7f000002);
	assert_true(publish_serial(w->publish) > before + 1);
}

static void changes_go_on_while_a_snapshot_is_written(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	char subject[32];

	for (int i = 0; i < 200; i++) {
		snprintf(subject, sizeof subject, "5.7.%d.1", i);
		put(w, 0, subject, 0, 0);
		if (i == 100)
			assert_true(publish_snapshot_start(w->publish, &err));
		append(w);
	}
	assert_true(publish_snapshot_finish(w->publish, NOW, &err));
	assert_true(publish_snapshot_serial(w->publish) >= 101);
	for (int i = 0; i < 200; i += 13) {
		snprintf(subject, sizeof subject, "5.7.%d.1", i);
		IS("ip", subject, 0x7f000002);
	}
	/* The reader of the old pair has everything, too, until the log is dropped. */
	put(w, 0, "5.8.0.1", 0, 0);
	append(w);
	char old[128];
	snprintf(old, sizeof old, "%s/changes-0", w->folder);
	assert_true(size_of(old) > 0);
	assert_true(publish_tidy(w->publish, NOW + 10001, &err));
	assert_int_equal(size_of(old), -1);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(changes_and_snapshots_say_the_same),
		WITH_WORLD(a_crash_before_the_append_loses_nothing),
		WITH_WORLD(a_torn_end_is_cut),
		WITH_WORLD(damage_is_replaced),
		WITH_WORLD(an_older_store_does_not_repeat_serials),
		WITH_WORLD(changes_go_on_while_a_snapshot_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
