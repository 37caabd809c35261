/* store.c - the store's file: its schema, its groups of changes, its prepared statements. */
#include "ledger/store_private.h"

#include "base/mem.h"

#include <errno.h>

#define SCHEMA_VERSION 1

/* Each entry lifts the schema from its index to the next version; entries are never edited once
 * released, only added to. */
static const char *const migrations[SCHEMA_VERSION] = {
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
};

const char *const store_sql_text[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SAVE] = "SAVEPOINT request",
	[SQL_RELEASE] = "RELEASE request",
	[SQL_UNDO] = "ROLLBACK TO request",
	[SQL_LIST_ADD] = "INSERT OR IGNORE INTO list(name) VALUES (?)",
	[SQL_LIST_GET] = "SELECT id FROM list WHERE name = ?",
	[SQL_LIST_ACTIVE] = "SELECT active FROM list WHERE id = ?",
	[SQL_LIST_COUNT] = "UPDATE list SET active = active + ? WHERE id = ?",
	[SQL_META_ADD] = "UPDATE meta SET value = value + ? WHERE key = ?",
	[SQL_META_PUT] = "INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?",
	[SQL_EVIDENCE_ADD] = "INSERT OR IGNORE INTO evidence(uid, at, received, kind, class, ip, "
			     "port, sensor, trap,"
			     " helo, mail_from_domain, subject_line, size, body_hash, sample)"
			     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_EVIDENCE_BY_UID] = "SELECT id FROM evidence WHERE uid = ?",
	[SQL_EVIDENCE_TIE] =
		"INSERT OR IGNORE INTO evidence_subject(list, subject, at, evidence, weight, trap)"
		" VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_EVIDENCE_SUM] =
		"SELECT coalesce(sum(weight), 0), count(DISTINCT trap) FROM (SELECT weight, trap"
		" FROM evidence_subject WHERE list = ? AND subject = ? AND at >= ? AND weight > 0"
		" ORDER BY at DESC LIMIT 1000)",
	[SQL_EVIDENCE_LAST] =
		"SELECT at FROM evidence_subject WHERE list = ? AND subject = ? AND weight > 0"
		" ORDER BY at DESC LIMIT 1",
	[SQL_EVIDENCE_OF] =
		"SELECT e.id, e.at, e.received, e.kind, e.class, e.port, e.size, e.uid, e.ip, "
		"e.sensor,"
		" e.trap, e.helo, e.mail_from_domain, e.subject_line, e.body_hash, e.sample"
		" FROM evidence_subject s JOIN evidence e ON e.id = s.evidence"
		" WHERE s.list = ? AND s.subject = ? ORDER BY s.at DESC, s.evidence DESC LIMIT ?",
	[SQL_EVIDENCE_OLD] = "SELECT id FROM evidence WHERE received < ? ORDER BY received LIMIT ?",
	[SQL_EVIDENCE_DROP] = "DELETE FROM evidence WHERE id = ?",
	[SQL_LISTING_GET] = "SELECT list, subject, state, code, text, since, last, expires, ended, "
			    "removed, relist,"
			    " removals, cause FROM listing WHERE list = ? AND subject = ?",
	[SQL_LISTING_PUT] =
		"INSERT INTO listing(list, subject, state, code, text, since, last, expires, ended,"
		" removed, relist, removals, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (list, subject) DO UPDATE SET state = excluded.state, code = "
		"excluded.code,"
		" text = excluded.text, since = excluded.since, last = excluded.last,"
		" expires = excluded.expires, ended = excluded.ended, removed = excluded.removed,"
		" relist = excluded.relist, removals = excluded.removals, cause = excluded.cause",
	[SQL_LISTING_ALL] =
		"SELECT list, subject, state, code, text, since, last, expires, ended, removed, "
		"relist,"
		" removals, cause FROM listing WHERE list = ? AND subject > ? AND state = 1"
		" ORDER BY subject LIMIT ?",
	[SQL_LISTING_DUE] =
		"SELECT list, subject, state, code, text, since, last, expires, ended, removed, "
		"relist,"
		" removals, cause FROM listing WHERE state = 1 AND expires > 0 AND expires <= ?"
		" ORDER BY expires LIMIT ?",
	[SQL_JOURNAL_ADD] = "INSERT INTO journal(at, who, action, list, subject, reason) VALUES "
			    "(?, ?, ?, ?, ?, ?)",
	[SQL_JOURNAL_ALL] =
		"SELECT j.number, j.at, j.action, j.list, j.who, l.name, j.subject, j.reason"
		" FROM journal j JOIN list l ON l.id = j.list WHERE j.number < ?"
		" ORDER BY j.number DESC LIMIT ?",
	[SQL_JOURNAL_OF] =
		"SELECT j.number, j.at, j.action, j.list, j.who, l.name, j.subject, j.reason"
		" FROM journal j JOIN list l ON l.id = j.list WHERE j.number < ? AND j.subject = ?3"
		" ORDER BY j.number DESC LIMIT ?2",
	[SQL_JOURNAL_LAST] =
		"SELECT at FROM (SELECT at, action, list FROM journal WHERE subject = ?"
		" ORDER BY number DESC LIMIT 100) WHERE list = ? AND action = ? LIMIT 1",
	[SQL_CHANGE_ADD] = "INSERT INTO change(list, subject, op, code, text, expires) VALUES (?, "
			   "?, ?, ?, ?, ?)",
	[SQL_CHANGE_AFTER] =
		"SELECT c.serial, c.list, c.op, c.code, c.expires, l.name, c.subject, c.text"
		" FROM change c JOIN list l ON l.id = c.list WHERE c.serial > ? ORDER BY c.serial",
	[SQL_CHANGE_PRUNE] =
		"DELETE FROM change WHERE serial IN"
		" (SELECT serial FROM change WHERE serial <= ? ORDER BY serial LIMIT ?)",
	[SQL_CHANGE_OLDEST] = "SELECT min(serial) FROM change",
	[SQL_SERIAL] = "SELECT seq FROM sqlite_sequence WHERE name = 'change'",
	[SQL_SERIAL_RAISE] = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'change'",
	[SQL_REMOVAL_ADD] =
		"INSERT INTO removal(list, subject, at, requester, note, fcrdns, language, granted,"
		" outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_REMOVAL_GRANTED] = "SELECT count(*), coalesce(min(at), 0) FROM removal"
				" WHERE list = ? AND subject = ? AND at >= ? AND granted = 1",
};

static bool fault(struct store *s, const char *what, struct err *err)
{
	/* Some faults of the disk end the transaction by themselves: the whole group is gone then. */
	if (s->in_group && sqlite3_get_autocommit(s->db)) {
		s->in_group = false;
		s->broken = true;
	}
	return err_set(err, ERR_SYSTEM, "store: %s: %s", what, sqlite3_errmsg(s->db));
}

static bool execute(struct store *s, const char *sql, const char *what, struct err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || fault(s, what, err);
}

sqlite3_stmt *store_sql(struct store *s, enum store_sql which, struct err *err)
{
	sqlite3_stmt **st = &s->statements[which];

	if (!*st
		&& sqlite3_prepare_v3(
			   s->db, store_sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL)
			   != SQLITE_OK) {
		fault(s, "prepare", err);
		return NULL;
	}
	return *st;
}

void store_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

int store_step(struct store *s, sqlite3_stmt *st, struct err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return rc;
	fault(s, rc == SQLITE_FULL ? "the disk is full" : "step", err);
	store_reset(st);
	return -1;
}

bool store_run(struct store *s, sqlite3_stmt *st, struct err *err)
{
	if (store_step(s, st, err) < 0)
		return false;
	store_reset(st);
	return true;
}

bool store_int(struct store *s, sqlite3_stmt *st, int64_t *ret, struct err *err)
{
	int rc = store_step(s, st, err);

	if (rc < 0)
		return false;
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	store_reset(st);
	return true;
}

static bool run_plain(struct store *s, enum store_sql which, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, which, err);

	return st && store_run(s, st, err);
}

static bool schema_version(struct store *s, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st;
	bool ok;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) != SQLITE_OK)
		return fault(s, "not a store", err);
	ok = store_int(s, st, ret, err);
	sqlite3_finalize(st);
	return ok;
}

static bool schema_migrate(struct store *s, struct err *err)
{
	int64_t version = 0;

	if (!schema_version(s, &version, err))
		return false;
	if (version > SCHEMA_VERSION)
		return err_set(err, ERR_REFUSED,
			"store: its schema has version %lld, this program knows %d: use the newer "
			"program",
			(long long)version, SCHEMA_VERSION);
	for (; version < SCHEMA_VERSION; version++) {
		char sql[64];

		snprintf(sql, sizeof sql, "PRAGMA user_version = %lld", (long long)version + 1);
		if (!execute(s, "BEGIN IMMEDIATE", "migrate", err)
			|| !execute(s, migrations[version], "migrate", err)
			|| !execute(s, sql, "migrate", err)
			|| !execute(s, "COMMIT", "migrate", err)) {
			(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
			return false;
		}
	}
	return true;
}

static bool connect(struct store *s, const char *path, int flags, struct err *err)
{
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return err_set(err, ERR_SYSTEM, "%s: %s", path,
			s->db ? sqlite3_errmsg(s->db) : "cannot open");
	sqlite3_busy_timeout(s->db, 5000);
	/* A store that somebody else wrote must not run code of its own. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return execute(s,
		"PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
		"set up", err);
}

struct store *store_open(const char *path, struct err *err)
{
	struct store *s = mem_new(1, sizeof *s);

	if (connect(s, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err)
		&& execute(
			s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", "set up", err)
		&& schema_migrate(s, err))
		return s;
	err_prefix(err, "%s: ", path);
	return store_close(s);
}

struct store *store_open_reader(const char *path, struct err *err)
{
	struct store *s = mem_new(1, sizeof *s);

	if (connect(s, path, SQLITE_OPEN_READONLY, err) && execute(s, "BEGIN", "begin", err))
		return s;
	return store_close(s);
}

struct store *store_close(struct store *s)
{
	if (s) {
		for (size_t i = 0; i < SQL_COUNT; i++)
			sqlite3_finalize(s->statements[i]);
		sqlite3_close(s->db);
		free(s);
	}
	return NULL;
}

bool store_begin(struct store *s, struct err *err)
{
	if (s->in_group)
		return true;
	s->in_group = run_plain(s, SQL_BEGIN, err);
	return s->in_group;
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

bool store_commit(struct store *s, struct err *err)
{
	if (s->broken)
		return err_set(err, ERR_SYSTEM, "store: the group was lost to a fault of the disk");
	if (!s->in_group)
		return true;
	if (!run_plain(s, SQL_COMMIT, err)) {
		store_rollback(s);
		s->broken = true;
		return false;
	}
	s->in_group = false;
	return true;
}

void store_rollback(struct store *s)
{
	if (s->in_group && !sqlite3_get_autocommit(s->db))
		(void)run_plain(s, SQL_ROLLBACK, NULL);
	s->in_group = false;
}

bool store_save(struct store *s, struct err *err)
{
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
}

bool store_test_execute(struct store *s, const char *sql)
{
	return execute(s, sql, "test", NULL);
}
