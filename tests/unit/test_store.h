/* test_store.h - an empty store for a test: in memory, or, when the environment names a server
 * (tests/with-postgresql), there. */
#pragma once

#include "test.h"

#include "ledger/db.h"

#include <stdlib.h>

static inline bool test_store_is_server(void)
{
	return getenv("SEKISHO_TEST_STORE") != NULL;
}

static inline const char *test_store_empty(void)
{
	const char *where = getenv("SEKISHO_TEST_STORE");
	struct err err = {0};
	struct db *db;

	if (!where)
		return ":memory:";
	db = db_open(where, DB_WRITER, &err);
	if (!db || !db_execute(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err))
		fail_msg("%s", err.text);
	db_close(db);
	return where;
}
