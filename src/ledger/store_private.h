/* store_private.h - shared by the store's files: the connection and its prepared statements. */
#pragma once

#include "ledger/store.h"

#include <sqlite3.h>

/* Each names one statement; its SQL stands in the table of store.c, prepared at first use. */
enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SAVE,
	SQL_RELEASE,
	SQL_UNDO,
	SQL_LIST_ADD,
	SQL_LIST_GET,
	SQL_LIST_ACTIVE,
	SQL_LIST_COUNT,
	SQL_META_ADD,
	SQL_META_GET,
	SQL_META_PUT,
	SQL_EVIDENCE_ADD,
	SQL_EVIDENCE_BY_UID,
	SQL_EVIDENCE_TIE,
	SQL_EVIDENCE_SUM,
	SQL_EVIDENCE_LAST,
	SQL_EVIDENCE_OF,
	SQL_EVIDENCE_OLD,
	SQL_EVIDENCE_DROP,
	SQL_LISTING_GET,
	SQL_LISTING_PUT,
	SQL_LISTING_ALL,
	SQL_LISTING_DUE,
	SQL_JOURNAL_ADD,
	SQL_JOURNAL_ALL,
	SQL_JOURNAL_OF,
	SQL_JOURNAL_LAST,
	SQL_CHANGE_ADD,
	SQL_CHANGE_AFTER,
	SQL_CHANGE_PRUNE,
	SQL_CHANGE_OLDEST,
	SQL_SERIAL,
	SQL_SERIAL_RAISE,
	SQL_REMOVAL_ADD,
	SQL_REMOVAL_GRANTED,
	SQL_COUNT,
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	bool in_group;
	bool broken;
};

extern const char *const store_sql_text[SQL_COUNT];

/* NULL with err when it cannot be prepared. Reset it with store_reset() after the last row. */
sqlite3_stmt *store_sql(struct store *s, enum store_sql which, struct err *err);
/* SQLITE_ROW or SQLITE_DONE; -1 with err on a fault (the statement is reset then). */
int store_step(struct store *s, sqlite3_stmt *st, struct err *err);
void store_reset(sqlite3_stmt *st);
/* A statement that yields no row: steps and resets. */
bool store_run(struct store *s, sqlite3_stmt *st, struct err *err);
/* One row with one integer; *ret stays when there is none. */
bool store_int(struct store *s, sqlite3_stmt *st, int64_t *ret, struct err *err);

static inline void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, at);
}

static inline void bind_slice(sqlite3_stmt *st, int at, struct slice text)
{
	sqlite3_bind_text(st, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_TRANSIENT);
}

static inline struct slice column_slice(sqlite3_stmt *st, int at)
{
	const void *text = sqlite3_column_text(st, at);

	return text ? slice_of(text, (size_t)sqlite3_column_bytes(st, at)) : SLICE_EMPTY;
}
