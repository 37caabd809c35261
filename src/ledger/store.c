/* store.c - the store's connection and its groups of changes. */
#include "base/mem.h"
#include "ledger/store_private.h"

#include <stdlib.h>

/* Some faults end the transaction by themselves: the whole group is gone then. */
static bool fault(struct store *s)
{
	if (s->in_group && !db_in_transaction(s->db)) {
		s->in_group = false;
		s->broken = true;
	}
	return false;
}

struct db_statement *store_sql(struct store *s, enum store_sql which, struct err *err)
{
	struct db_statement **st = &s->statements[which];

	if (!*st)
		*st = db_prepare(s->db, store_sql_text(db_engine(s->db), which), err);
	if (!*st)
		fault(s);
	return *st;
}

enum db_step store_step(struct store *s, struct db_statement *st, struct err *err)
{
	enum db_step step = db_step(st, err);

	if (step == DB_FAULT)
		fault(s);
	return step;
}

bool store_run(struct store *s, struct db_statement *st, struct err *err)
{
	return db_run(st, err) || fault(s);
}

bool store_run_count(struct store *s, struct db_statement *st, int64_t *ret, struct err *err)
{
	return db_run_count(st, ret, err) || fault(s);
}

bool store_run_int(struct store *s, struct db_statement *st, int64_t *ret, struct err *err)
{
	return db_run_int(st, ret, err) || fault(s);
}

static bool run_plain(struct store *s, enum store_sql which, struct err *err)
{
	struct db_statement *st = store_sql(s, which, err);

	return st && store_run(s, st, err);
}

struct store *store_open(const char *path, struct err *err)
{
	struct store *s = mem_new(1, sizeof *s);

	s->db = db_open(path, DB_WRITER, err);
	if (s->db && store_schema_make(s->db, err))
		return s;
	if (s->db)
		err_prefix(err, "%s: ", path);
	return store_close(s);
}

struct store *store_open_reader(const char *path, struct err *err)
{
	struct store *s = mem_new(1, sizeof *s);

	s->db = db_open(path, DB_READER, err);
	return s->db ? s : store_close(s);
}

struct store *store_close(struct store *s)
{
	if (s) {
		for (size_t i = 0; i < SQL_COUNT; i++)
			db_finish(s->statements[i]);
		db_close(s->db);
		free(s);
	}
	return NULL;
}

bool store_begin(struct store *s, struct err *err)
{
	if (s->in_group)
		return true;
	s->counts = (struct store_counts){0};
	s->in_group = run_plain(s, SQL_BEGIN, err);
	if (!s->in_group || db_engine(s->db) == DB_SQLITE || run_plain(s, SQL_LOCK, err))
		return s->in_group;
	store_rollback(s);
	return false;
}

bool store_in_group(const struct store *s)
{
	return s->in_group;
}

void store_forget_fault(struct store *s)
{
	s->broken = false;
}

bool store_broken(const struct store *s)
{
	return s->broken;
}

static bool counts_write(struct store *s, struct err *err)
{
	struct db_statement *st;

	if (s->counts.evidence != 0) {
		st = store_sql(s, SQL_META_ADD, err);
		if (!st)
			return false;
		db_bind_int(st, 1, s->counts.evidence);
		db_bind_text(st, 2, "evidence");
		if (!store_run(s, st, err))
			return false;
	}
	if (!s->counts.serial_known)
		return true;
	return store_meta_put(s, "serial", s->counts.serial, err)
	       && (db_engine(s->db) == DB_SQLITE || run_plain(s, SQL_NOTIFY, err));
}

bool store_commit(struct store *s, struct err *err)
{
	if (s->broken)
		return err_set(err, ERR_SYSTEM, "store: the group was lost to a fault of the disk");
	if (!s->in_group)
		return true;
	if (!counts_write(s, err) || !run_plain(s, SQL_COMMIT, err)) {
		store_rollback(s);
		s->broken = true;
		return false;
	}
	s->in_group = false;
	return true;
}

void store_rollback(struct store *s)
{
	if (s->in_group && db_in_transaction(s->db))
		(void)run_plain(s, SQL_ROLLBACK, NULL);
	s->in_group = false;
}

bool store_save(struct store *s, struct err *err)
{
	s->saved = s->counts;
	return run_plain(s, SQL_SAVE, err);
}

bool store_release(struct store *s, struct err *err)
{
	return run_plain(s, SQL_RELEASE, err);
}

void store_undo(struct store *s)
{
	if (s->in_group && run_plain(s, SQL_UNDO, NULL))
		(void)run_plain(s, SQL_RELEASE, NULL);
	s->counts = s->saved;
}

bool store_test_execute(struct store *s, const char *sql)
{
	return db_execute(s->db, sql, NULL);
}
