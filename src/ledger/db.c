/* db.c - the database's calls, handed to its engine. */
#include "ledger/db_private.h"

#include <stdio.h>

struct db *db_open(const char *where, enum db_use use, struct err *err)
{
	return db_engine_of(where) == DB_POSTGRESQL ? db_pg_open(where, use, err)
						    : db_sqlite_open(where, use, err);
}

enum db_engine db_engine_of(const char *where)
{
	struct slice s = slice_str(where);

	return slice_starts(s, SLICE("postgresql://")) || slice_starts(s, SLICE("postgres://"))
		       ? DB_POSTGRESQL
		       : DB_SQLITE;
}

struct db_shown db_show(const char *where)
{
	struct slice rest = slice_str(where), host;
	struct db_shown shown;

	if (db_engine_of(where) == DB_SQLITE) {
		snprintf(shown.text, sizeof shown.text, "%s", where);
		return shown;
	}
	rest = slice_skip(rest, slice_find(rest, '/') + 2);
	rest = slice_take(rest, slice_find(rest, '?'));
	/* The last @ ends the password, whatever stands in it. */
	for (host = rest; slice_find(host, '@') < host.len;)
		host = slice_skip(host, slice_find(host, '@') + 1);
	snprintf(shown.text, sizeof shown.text, "postgresql://%.*s", SLICE_FMT(host));
	return shown;
}

struct db *db_close(struct db *db)
{
	return db ? db->calls->close(db) : NULL;
}

enum db_engine db_engine(const struct db *db)
{
	return db->calls->engine;
}

bool db_in_transaction(const struct db *db)
{
	return db->calls->in_transaction(db);
}

bool db_execute(struct db *db, const char *sql, struct err *err)
{
	return db->calls->execute(db, sql, err);
}

struct db_statement *db_prepare(struct db *db, const char *sql, struct err *err)
{
	return db->calls->prepare(db, sql, err);
}

struct db_statement *db_finish(struct db_statement *st)
{
	if (st)
		st->db->calls->finish(st);
	return NULL;
}

void db_bind_int(struct db_statement *st, int at, int64_t value)
{
	st->db->calls->bind_int(st, at, value);
}

void db_bind_slice(struct db_statement *st, int at, struct slice text)
{
	st->db->calls->bind_text(st, at, text.ptr ? text : SLICE_EMPTY);
}

void db_bind_text(struct db_statement *st, int at, const char *text)
{
	if (text)
		st->db->calls->bind_text(st, at, slice_str(text));
}

enum db_step db_step(struct db_statement *st, struct err *err)
{
	return st->db->calls->step(st, err);
}

void db_reset(struct db_statement *st)
{
	st->db->calls->reset(st);
}

bool db_run(struct db_statement *st, struct err *err)
{
	if (st->db->calls->run)
		return st->db->calls->run(st, err);
	if (db_step(st, err) == DB_FAULT)
		return false;
	db_reset(st);
	return true;
}

bool db_run_count(struct db_statement *st, int64_t *ret, struct err *err)
{
	if (db_step(st, err) == DB_FAULT)
		return false;
	*ret = st->db->calls->changed(st);
	db_reset(st);
	return true;
}

bool db_run_int(struct db_statement *st, int64_t *ret, struct err *err)
{
	enum db_step step = db_step(st, err);

	if (step == DB_FAULT)
		return false;
	if (step == DB_ROW && !st->db->calls->is_null(st, 0))
		*ret = db_int(st, 0);
	db_reset(st);
	return true;
}

int64_t db_int(struct db_statement *st, int at)
{
	return st->db->calls->get_int(st, at);
}

struct slice db_text(struct db_statement *st, int at)
{
	return st->db->calls->get_text(st, at);
}

int db_fd(const struct db *db)
{
	return db->calls->fd ? db->calls->fd(db) : -1;
}

bool db_news(struct db *db)
{
	return db->calls->news && db->calls->news(db);
}
