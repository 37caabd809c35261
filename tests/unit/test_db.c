/* test_db.c - the database behind the store: what goes in comes out, faults are told, groups are whole. */
#include "test_store.h"

#include <limits.h>

static struct db *opened(void)
{
	struct err err = {0};
	struct db *db = db_open(test_store_empty(), DB_WRITER, &err);

	if (!db)
		fail_msg("%s", err.text);
	return db;
}

static void execute(struct db *db, const char *sql)
{
	struct err err = {0};

	if (!db_execute(db, sql, &err))
		fail_msg("%s", err.text);
}

static struct db_statement *prepared(struct db *db, const char *sql)
{
	struct err err = {0};
	struct db_statement *st = db_prepare(db, sql, &err);

	if (!st)
		fail_msg("%s", err.text);
	return st;
}

static int64_t number(struct db *db, const char *sql)
{
	struct db_statement *st = prepared(db, sql);
	int64_t n = -1;

	assert_true(db_run_int(st, &n, NULL));
	db_finish(st);
	return n;
}

static void what_goes_in_comes_out(void **state)
{
	static const struct {
		int64_t n;
		const char *s;
	} rows[] = {
		{0, ""},
		{-1, "a"},
		{INT64_MAX, "it's \"quoted\" \\ and % $1"},
		{INT64_MIN, "\xe9\x96\xa2\xe6\x89\x80\n\ttab"},
		{1800000000000, NULL},
	};
	struct db *db = opened();
	struct db_statement *put, *get;

	(void)state;
	execute(db, "CREATE TABLE t (k BIGINT PRIMARY KEY, n BIGINT, s TEXT)");
	put = prepared(db, "INSERT INTO t(k, n, s) VALUES ($1, $2, $3)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		db_bind_int(put, 1, (int64_t)i);
		db_bind_int(put, 2, rows[i].n);
		db_bind_text(put, 3, rows[i].s);
		assert_true(db_run(put, NULL));
	}
	get = prepared(db, "SELECT n, s FROM t WHERE k >= $1 ORDER BY k");
	for (int round = 0; round < 2; round++) {
		db_bind_int(get, 1, 0);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			assert_int_equal(db_step(get, NULL), DB_ROW);
			assert_true(db_int(get, 0) == rows[i].n);
			assert_true(slice_eq(db_text(get, 1), slice_str(rows[i].s)));
		}
		assert_int_equal(db_step(get, NULL), DB_DONE);
		db_reset(get);
	}
	/* What was bound is gone with a reset: NULL >= NULL is not true. */
	assert_int_equal(db_step(get, NULL), DB_DONE);
	db_reset(get);
	assert_int_equal(number(db, "SELECT count(*) FROM t WHERE s IS NULL"), 1);
	/* No row and NULL leave the number as it was. */
	assert_int_equal(number(db, "SELECT n FROM t WHERE k = 99"), -1);
	assert_int_equal(number(db, "SELECT max(n) FROM t WHERE k = 99"), -1);
	db_finish(put);
	db_finish(get);
	db_close(db);
}

static void changes_are_counted(void **state)
{
	struct db *db = opened();
	struct db_statement *st;
	int64_t id = 0;

	(void)state;
	execute(db, "CREATE TABLE t (k BIGINT PRIMARY KEY, n BIGINT)");
	st = prepared(db, "INSERT INTO t(k, n) VALUES ($1, 7) ON CONFLICT DO NOTHING RETURNING k");
	for (int i = 1; i <= 3; i++) {
		db_bind_int(st, 1, i);
		assert_true(db_run_int(st, &id, NULL));
		assert_int_equal(id, i);
	}
	db_bind_int(st, 1, 2);
	id = 0;
	assert_true(db_run_int(st, &id, NULL));
	assert_int_equal(id, 0);
	db_finish(st);
	st = prepared(db, "DELETE FROM t WHERE k > $1");
	db_bind_int(st, 1, 1);
	assert_true(db_run_count(st, &id, NULL));
	assert_int_equal(id, 2);
	db_finish(st);
	db_close(db);
}

static void groups_are_whole(void **state)
{
	struct db *db = opened();

	(void)state;
	execute(db, "CREATE TABLE t (k BIGINT PRIMARY KEY)");
	assert_false(db_in_transaction(db));
	execute(db, "BEGIN");
	assert_true(db_in_transaction(db));
	execute(db, "INSERT INTO t VALUES (1)");
	execute(db, "SAVEPOINT request");
	execute(db, "INSERT INTO t VALUES (2)");
	/* One that fails can be undone, and what was before it stays. */
	assert_false(db_execute(db, "INSERT INTO t VALUES (1)", NULL));
	assert_true(db_in_transaction(db));
	execute(db, "ROLLBACK TO SAVEPOINT request");
	execute(db, "RELEASE SAVEPOINT request");
	execute(db, "COMMIT");
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	execute(db, "BEGIN");
	execute(db, "INSERT INTO t VALUES (3)");
	execute(db, "ROLLBACK");
	assert_false(db_in_transaction(db));
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
}

static void faults_are_told(void **state)
{
	struct db *db = opened();
	struct db_statement *st;
	struct err err = {0};

	(void)state;
	assert_null(db_prepare(db, "SELECT n FROM nowhere", &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "nowhere"));
	/* The one rule that engines understand differently. */
	assert_null(db_prepare(db, "SELECT $2 + $1", &err));
	assert_non_null(strstr(err.text, "in order"));
	execute(db, "CREATE TABLE t (k BIGINT PRIMARY KEY)");
	st = prepared(db, "INSERT INTO t VALUES ($1)");
	db_bind_int(st, 1, 1);
	assert_true(db_run(st, &err));
	db_bind_int(st, 1, 1);
	assert_int_equal(db_step(st, &err), DB_FAULT);
	db_bind_int(st, 1, 2); /* it can be used again */
	assert_true(db_run(st, &err));
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
	db_finish(st);
	db_close(db);
	assert_null(db_open("/nowhere/at/all", DB_WRITER, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_null(db_open("postgresql:///x?host=/nowhere/at/all", DB_WRITER, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

/* What is not waited for and fails takes the whole group with it: a COMMIT never looks well then. */
static void a_late_fault_ends_the_group(void **state)
{
	struct db *db = opened();
	struct db_statement *begin, *put, *commit;
	bool ok = true;

	(void)state;
	execute(db, "CREATE TABLE t (k BIGINT PRIMARY KEY)");
	begin = prepared(db, "BEGIN");
	put = prepared(db, "INSERT INTO t VALUES ($1)");
	commit = prepared(db, "COMMIT");
	for (int i = 0; i < 2; i++) {
		assert_true(db_run(begin, NULL));
		ok = true;
		for (int k = 0; ok && k < 3; k++) {
			db_bind_int(put, 1, k % 2); /* the third is there already */
			ok = db_run(put, NULL);
		}
		if (ok)
			ok = db_run(commit, NULL);
		else
			execute(db, "ROLLBACK");
		assert_false(ok);
		assert_false(db_in_transaction(db));
		assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
	}
	db_finish(begin);
	db_finish(put);
	db_finish(commit);
	db_close(db);
}

static void logs_show_no_password(void **state)
{
	static const char *const cases[][2] = {
		{"/var/lib/sekisho/sekisho.db", "/var/lib/sekisho/sekisho.db"},
		{"postgresql://u:p@ss@db.example:5433/lists?sslmode=require",
			"postgresql://db.example:5433/lists"},
		{"postgres:///lists?password=secret", "postgresql:///lists"},
		{"postgresql://u@/lists", "postgresql:///lists"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(db_show(cases[i][0]).text, cases[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(changes_are_counted),
		cmocka_unit_test(groups_are_whole),
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(a_late_fault_ends_the_group),
		cmocka_unit_test(logs_show_no_password),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
