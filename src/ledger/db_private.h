/* db_private.h - what an engine is. */
#pragma once

#include "ledger/db.h"

struct db_calls {
	enum db_engine engine;
	struct db *(*close)(struct db *db);
	bool (*in_transaction)(const struct db *db);
	bool (*execute)(struct db *db, const char *sql, struct err *err);
	struct db_statement *(*prepare)(struct db *db, const char *sql, struct err *err);
	void (*finish)(struct db_statement *st);
	void (*bind_int)(struct db_statement *st, int at, int64_t value);
	void (*bind_text)(struct db_statement *st, int at, struct slice text);
	enum db_step (*step)(struct db_statement *st, struct err *err);
	void (*reset)(struct db_statement *st);
	bool (*is_null)(struct db_statement *st, int at);
	int64_t (*get_int)(struct db_statement *st, int at);
	struct slice (*get_text)(struct db_statement *st, int at);
	int64_t (*changed)(const struct db_statement *st); /* by the run that has just ended */
	/* May be NULL: the general way, no such thing. */
	bool (*run)(struct db_statement *st, struct err *err);
	int (*fd)(const struct db *db);
	bool (*news)(struct db *db);
};

/* An engine's own structures begin with these. */
struct db {
	const struct db_calls *calls;
};
struct db_statement {
	struct db *db;
};

struct db *db_pg_open(const char *url, enum db_use use, struct err *err);
struct db *db_sqlite_open(const char *path, enum db_use use, struct err *err);
