/* store_private.h - shared by the store's files: the connection and its prepared statements. */
#pragma once

#include "ledger/db.h"
#include "ledger/store.h"

/* Each names one statement; its SQL stands in store_sql.c, prepared at first use. */
enum store_sql {
	SQL_BEGIN,
	SQL_LOCK,
	SQL_NOTIFY,
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
	SQL_EVIDENCE_PRUNE,
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
	SQL_REMOVAL_ADD,
	SQL_REMOVAL_GRANTED,
	SQL_COUNT,
};

/* Counts that grow with nearly every request are kept here while a group is open, and written once, at
 * its commit. */
struct store_counts {
	bool serial_known;
	int64_t serial;	  /* the newest */
	int64_t evidence; /* more than before the group */
};

struct store {
	struct db *db;
	struct db_statement *statements[SQL_COUNT];
	bool in_group;
	bool broken;
	struct store_counts counts, saved;
};

#define STORE_LOCK "7234163" /* of PostgreSQL: who holds it is the one writer */

/* Where the engines differ, and where they do not. */
const char *store_sql_text(enum db_engine engine, enum store_sql which);

/* Makes the tables, or brings older ones up to date. */
bool store_schema_make(struct db *db, struct err *err);

/* NULL with err when it cannot be prepared. Reset it with db_reset() after the last row. */
struct db_statement *store_sql(struct store *s, enum store_sql which, struct err *err);
/* db_step(), db_run() and so on; a fault that ended the transaction breaks the group. */
enum db_step store_step(struct store *s, struct db_statement *st, struct err *err);
bool store_run(struct store *s, struct db_statement *st, struct err *err);
bool store_run_count(struct store *s, struct db_statement *st, int64_t *ret, struct err *err);
bool store_run_int(struct store *s, struct db_statement *st, int64_t *ret, struct err *err);
