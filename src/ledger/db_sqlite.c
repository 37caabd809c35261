/* db_sqlite.c - the database as one SQLite file. */
#include "base/mem.h"
#include "ledger/db_private.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

#define BUSY_MS 5000

struct sqlite_db {
	struct db db;
	sqlite3 *file;
};

struct sqlite_statement {
	struct db_statement st;
	sqlite3_stmt *prepared;
};

static struct sqlite_db *self(const struct db *db)
{
	return (struct sqlite_db *)db;
}

static sqlite3_stmt *own(struct db_statement *st)
{
	return ((struct sqlite_statement *)st)->prepared;
}

static bool fault(struct db *db, const char *what, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "store: %s: %s", what, sqlite3_errmsg(self(db)->file));
}

static struct db *sqlite_close(struct db *db)
{
	sqlite3_close(self(db)->file);
	free(db);
	return NULL;
}

/* Some faults of the disk end the transaction by themselves. */
static bool sqlite_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(self(db)->file);
}

static bool sqlite_execute(struct db *db, const char *sql, struct err *err)
{
	return sqlite3_exec(self(db)->file, sql, NULL, NULL, NULL) == SQLITE_OK
	       || fault(db, "execute", err);
}

static void sqlite_finish(struct db_statement *st)
{
	sqlite3_finalize(own(st));
	free(st);
}

/* SQLite numbers parameters as it meets them, whatever they are called. */
static bool in_order(sqlite3_stmt *prepared)
{
	char name[16];

	for (int i = 1; i <= sqlite3_bind_parameter_count(prepared); i++) {
		snprintf(name, sizeof name, "$%d", i);
		if (!slice_eq(slice_str(name), slice_str(sqlite3_bind_parameter_name(prepared, i))))
			return false;
	}
	return true;
}

static struct db_statement *sqlite_prepare(struct db *db, const char *sql, struct err *err)
{
	struct sqlite_statement *s;
	sqlite3_stmt *prepared;

	if (sqlite3_prepare_v3(self(db)->file, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL)
		!= SQLITE_OK) {
		fault(db, "prepare", err);
		return NULL;
	}
	if (!in_order(prepared)) {
		err_set(err, ERR_SYSTEM, "store: parameters are not named in order: %s", sql);
		sqlite3_finalize(prepared);
		return NULL;
	}
	s = mem_new(1, sizeof *s);
	*s = (struct sqlite_statement){{db}, prepared};
	return &s->st;
}

static void sqlite_bind_int(struct db_statement *st, int at, int64_t value)
{
	sqlite3_bind_int64(own(st), at, value);
}

static void sqlite_bind_text(struct db_statement *st, int at, struct slice text)
{
	sqlite3_bind_text(own(st), at, text.ptr, (int)text.len, SQLITE_TRANSIENT);
}

static void sqlite_reset(struct db_statement *st)
{
	sqlite3_reset(own(st));
	sqlite3_clear_bindings(own(st));
}

static enum db_step sqlite_step(struct db_statement *st, struct err *err)
{
	int rc = sqlite3_step(own(st));

	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc == SQLITE_DONE)
		return DB_DONE;
	fault(st->db, rc == SQLITE_FULL ? "the disk is full" : "step", err);
	sqlite_reset(st);
	return DB_FAULT;
}

static bool sqlite_is_null(struct db_statement *st, int at)
{
	return sqlite3_column_type(own(st), at) == SQLITE_NULL;
}

static int64_t sqlite_get_int(struct db_statement *st, int at)
{
	return sqlite3_column_int64(own(st), at);
}

static struct slice sqlite_get_text(struct db_statement *st, int at)
{
	const void *text = sqlite3_column_text(own(st), at);

	return text ? slice_of(text, (size_t)sqlite3_column_bytes(own(st), at)) : SLICE_EMPTY;
}

static int64_t sqlite_changed(const struct db_statement *st)
{
	return sqlite3_changes64(self(st->db)->file);
}

static const struct db_calls calls = {
	.engine = DB_SQLITE,
	.close = sqlite_close,
	.in_transaction = sqlite_in_transaction,
	.execute = sqlite_execute,
	.prepare = sqlite_prepare,
	.finish = sqlite_finish,
	.bind_int = sqlite_bind_int,
	.bind_text = sqlite_bind_text,
	.step = sqlite_step,
	.reset = sqlite_reset,
	.is_null = sqlite_is_null,
	.get_int = sqlite_get_int,
	.get_text = sqlite_get_text,
	.changed = sqlite_changed,
};

struct db *db_sqlite_open(const char *path, enum db_use use, struct err *err)
{
	static const char *const set_up[] = {
		[DB_WRITER] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
		[DB_READER] = "BEGIN",
	};
	int flags = use == DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
				     : SQLITE_OPEN_READONLY;
	struct sqlite_db *s = mem_new(1, sizeof *s);

	s->db.calls = &calls;
	if (sqlite3_open_v2(path, &s->file, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		err_set(err, ERR_SYSTEM, "%s: %s", path,
			s->file ? sqlite3_errmsg(s->file) : "cannot open");
		return sqlite_close(&s->db);
	}
	sqlite3_busy_timeout(s->file, BUSY_MS);
	/* A store that somebody else wrote must not run code of its own. */
	sqlite3_db_config(s->file, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->file, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (sqlite_execute(&s->db,
		    "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
		    " PRAGMA cache_size = -32768;",
		    err)
		&& sqlite_execute(&s->db, set_up[use], err))
		return &s->db;
	err_prefix(err, "%s: ", path);
	return sqlite_close(&s->db);
}
