/* db.h - a database behind the store: one connection, its prepared statements, rows. It knows no tables.
 *
 * The engines speak one dialect, so that each statement is written once: parameters are $1, $2 ..., named
 * for the first time in that order; numbers are 64 bits wide; text is UTF-8 without NUL.
 *
 * One thread at a time uses a connection. A function that returns false (or DB_FAULT) has said why in
 * err, which may be NULL. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

enum db_engine { DB_SQLITE, DB_POSTGRESQL };
enum db_use {
	DB_WRITER, /* makes what is not there */
	DB_READER, /* sees one state for its whole life, from its first question on */
};

struct db;
struct db_statement;

/* where: a file, ":memory:", or a URL of PostgreSQL (postgresql:// or postgres://, as libpq reads it). */
struct db *db_open(const char *where, enum db_use use, struct err *err);
enum db_engine db_engine_of(const char *where);
/* The same for logs: without user, password and options. */
struct db_shown {
	char text[256];
} db_show(const char *where);
/* Statements must be finished before. */
struct db *db_close(struct db *db);
enum db_engine db_engine(const struct db *db);
/* A transaction is open: false, too, after a fault that ended it. A lost connection ends it; outside of one
 * the next call connects again, once a second at most, and fails in between. */
bool db_in_transaction(const struct db *db);
/* Any number of statements, no parameters, rows are dropped. */
bool db_execute(struct db *db, const char *sql, struct err *err);

struct db_statement *db_prepare(struct db *db, const char *sql, struct err *err);
struct db_statement *db_finish(struct db_statement *st);

/* `at` counts from 1. Text is copied. What is not bound is NULL. */
void db_bind_int(struct db_statement *st, int at, int64_t value);
void db_bind_slice(struct db_statement *st, int at, struct slice text); /* ptr NULL: "" */
void db_bind_text(struct db_statement *st, int at, const char *text);	/* NULL: NULL */

enum db_step { DB_FAULT, DB_ROW, DB_DONE };
/* The next row. After DB_ROW reset the statement when no more rows are wanted; after DB_FAULT that has
 * been done. */
enum db_step db_step(struct db_statement *st, struct err *err);
/* The end of this run: what was bound is forgotten. */
void db_reset(struct db_statement *st);
/* A statement whose rows nobody wants: runs and resets. Within a transaction its fault may come out later,
 * at the latest with COMMIT; one that comes late has ended the transaction. */
bool db_run(struct db_statement *st, struct err *err);
/* The same, and waits: *ret says how many rows it inserted, updated or deleted (without what cascades). */
bool db_run_count(struct db_statement *st, int64_t *ret, struct err *err);
/* One row with one number; *ret stays when there is none (or NULL). Resets. */
bool db_run_int(struct db_statement *st, int64_t *ret, struct err *err);

/* Of the current row; `at` counts from 0. NULL reads as 0 and "". Valid until the next step. */
int64_t db_int(struct db_statement *st, int at);
struct slice db_text(struct db_statement *st, int at);

/* ---- word from others who use the same database; SQLite has no such thing ---- */
/* Becomes readable when something came; -1: none. It changes when a connection was lost. */
int db_fd(const struct db *db);
/* True when another connection has sent word (NOTIFY) since the last call. */
bool db_news(struct db *db);
