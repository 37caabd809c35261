/* store_schema.c - the store's tables, and how an older store becomes one of today. */
#include "base/attr.h"
#include "ledger/store_private.h"

#include <stdio.h>

/* Each entry lifts the schema from its index to the next version; entries are never edited once
 * released, only added to. */
static const char *const sqlite_migrations[] = {
	"CREATE TABLE list (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
	"  active INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('evidence', 0);"
	"CREATE TABLE evidence (id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,"
	"  at INTEGER NOT NULL, received INTEGER NOT NULL, kind INTEGER NOT NULL, class INTEGER "
	"NOT NULL,"
	"  ip TEXT NOT NULL, port INTEGER NOT NULL, sensor TEXT NOT NULL, trap TEXT NOT NULL,"
	"  helo TEXT NOT NULL, mail_from_domain TEXT NOT NULL, subject_line TEXT NOT NULL,"
	"  size INTEGER NOT NULL, body_hash TEXT NOT NULL, sample TEXT NOT NULL);"
	"CREATE INDEX evidence_received ON evidence(received);"
	"CREATE TABLE evidence_subject (list INTEGER NOT NULL REFERENCES list(id), subject TEXT "
	"NOT NULL,"
	"  at INTEGER NOT NULL, evidence INTEGER NOT NULL REFERENCES evidence(id) ON DELETE "
	"CASCADE,"
	"  weight INTEGER NOT NULL, trap TEXT NOT NULL,"
	"  PRIMARY KEY (list, subject, at, evidence)) WITHOUT ROWID;"
	"CREATE INDEX evidence_subject_evidence ON evidence_subject(evidence);"
	"CREATE TABLE listing (list INTEGER NOT NULL REFERENCES list(id), subject TEXT NOT NULL,"
	"  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3), code INTEGER NOT NULL, text TEXT "
	"NOT NULL,"
	"  since INTEGER NOT NULL, last INTEGER NOT NULL, expires INTEGER NOT NULL, ended INTEGER "
	"NOT NULL,"
	"  removed INTEGER NOT NULL, relist INTEGER NOT NULL, removals INTEGER NOT NULL, cause "
	"TEXT NOT NULL,"
	"  PRIMARY KEY (list, subject)) WITHOUT ROWID;"
	"CREATE INDEX listing_expires ON listing(expires) WHERE state = 1 AND expires > 0;"
	"CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who "
	"TEXT NOT NULL,"
	"  action INTEGER NOT NULL, list INTEGER NOT NULL REFERENCES list(id), subject TEXT NOT "
	"NULL,"
	"  reason TEXT NOT NULL);"
	"CREATE INDEX journal_subject ON journal(subject, number);"
	"CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal"
	"  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;"
	"CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal"
	"  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;"
	"CREATE TABLE change (serial INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL "
	"REFERENCES list(id),"
	"  subject TEXT NOT NULL, op INTEGER NOT NULL, code INTEGER NOT NULL, text TEXT NOT NULL,"
	"  expires INTEGER NOT NULL);"
	"CREATE TABLE removal (id INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL "
	"REFERENCES list(id),"
	"  subject TEXT NOT NULL, at INTEGER NOT NULL, requester TEXT, note TEXT, fcrdns TEXT, "
	"language TEXT,"
	"  granted INTEGER NOT NULL, outcome TEXT NOT NULL);"
	"CREATE INDEX removal_subject ON removal(list, subject, at);",

	/* The newest serial is counted in the open, not in SQLite's own table. */
	"INSERT INTO meta VALUES ('serial', coalesce("
	"  (SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0));",
};

static bool version_read(struct db *db, int64_t *ret, struct err *err)
{
	struct db_statement *st = db_prepare(db, "PRAGMA user_version", err);
	bool ok = st && db_run_int(st, ret, err);

	db_finish(st);
	return ok || err_prefix(err, "not a store: ");
}

static bool migrate_one(struct db *db, int64_t version, struct err *err)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA user_version = %lld", (long long)version + 1);
	if (db_execute(db, "BEGIN IMMEDIATE", err)
		&& db_execute(db, sqlite_migrations[version], err) && db_execute(db, sql, err)
		&& db_execute(db, "COMMIT", err))
		return true;
	(void)db_execute(db, "ROLLBACK", NULL);
	return err_prefix(err, "cannot make its tables: ");
}

bool store_schema_make(struct db *db, struct err *err)
{
	const int64_t newest = ARRAY_LEN(sqlite_migrations);
	int64_t version = 0;

	if (!version_read(db, &version, err))
		return false;
	if (version > newest)
		return err_set(err, ERR_REFUSED,
			"store: its schema has version %lld, this program knows %lld: use the "
			"newer "
			"program",
			(long long)version, (long long)newest);
	for (; version < newest; version++)
		if (!migrate_one(db, version, err))
			return false;
	return true;
}
