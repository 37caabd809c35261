/* store_sql.c - all statements of the store, in the dialect that both engines understand (db.h). */
#include "ledger/store_private.h"

#define LISTING_COLUMNS                                                                            \
	"list, subject, state, code, text, since, last, expires, ended, removed, relist, "         \
	"removals,"                                                                                \
	" cause"
#define JOURNAL_COLUMNS "j.number, j.at, j.action, j.list, j.who, l.name, j.subject, j.reason"

static const char *const texts[SQL_COUNT] = {
	/* PostgreSQL only: one group at a time, of all who write, and word to the others. */
	[SQL_LOCK] = "SELECT pg_advisory_xact_lock(" STORE_LOCK ")",
	[SQL_NOTIFY] = "NOTIFY sekisho",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SAVE] = "SAVEPOINT request",
	[SQL_RELEASE] = "RELEASE SAVEPOINT request",
	[SQL_UNDO] = "ROLLBACK TO SAVEPOINT request",

	[SQL_LIST_ADD] = "INSERT INTO list(name) VALUES ($1) RETURNING id",
	[SQL_LIST_GET] = "SELECT id FROM list WHERE name = $1",
	[SQL_LIST_ACTIVE] = "SELECT active FROM list WHERE id = $1",
	[SQL_LIST_COUNT] = "UPDATE list SET active = active + $1 WHERE id = $2",
	[SQL_META_ADD] = "UPDATE meta SET value = value + $1 WHERE key = $2",
	[SQL_META_PUT] = "INSERT INTO meta(key, value) VALUES ($1, $2)"
			 " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = $1",

	[SQL_EVIDENCE_ADD] =
		"INSERT INTO evidence(uid, at, received, kind, class, ip, port, sensor, trap, helo,"
		" mail_from_domain, subject_line, size, body_hash, sample)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
		" ON CONFLICT (uid) DO NOTHING RETURNING id",
	[SQL_EVIDENCE_BY_UID] = "SELECT id FROM evidence WHERE uid = $1",
	[SQL_EVIDENCE_TIE] =
		"INSERT INTO evidence_subject(list, subject, at, evidence, weight, trap)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
	[SQL_EVIDENCE_SUM] =
		"SELECT coalesce(sum(weight), 0), count(DISTINCT trap) FROM (SELECT weight, trap"
		" FROM evidence_subject WHERE list = $1 AND subject = $2 AND at >= $3 AND weight > "
		"0"
		" ORDER BY at DESC LIMIT 1000) AS newest",
	[SQL_EVIDENCE_LAST] =
		"SELECT at FROM evidence_subject WHERE list = $1 AND subject = $2 AND weight > 0"
		" ORDER BY at DESC LIMIT 1",
	[SQL_EVIDENCE_OF] =
		"SELECT e.id, e.at, e.received, e.kind, e.class, e.port, e.size, e.uid, e.ip, "
		"e.sensor,"
		" e.trap, e.helo, e.mail_from_domain, e.subject_line, e.body_hash, e.sample"
		" FROM evidence_subject s JOIN evidence e ON e.id = s.evidence"
		" WHERE s.list = $1 AND s.subject = $2 ORDER BY s.at DESC, s.evidence DESC LIMIT "
		"$3",
	[SQL_EVIDENCE_PRUNE] = "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence"
			       " WHERE received < $1 ORDER BY received LIMIT $2)",

	[SQL_LISTING_GET] =
		"SELECT " LISTING_COLUMNS " FROM listing WHERE list = $1 AND subject = $2",
	[SQL_LISTING_PUT] =
		"INSERT INTO listing(" LISTING_COLUMNS ")"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
		" ON CONFLICT (list, subject) DO UPDATE SET state = excluded.state, code = "
		"excluded.code,"
		" text = excluded.text, since = excluded.since, last = excluded.last,"
		" expires = excluded.expires, ended = excluded.ended, removed = excluded.removed,"
		" relist = excluded.relist, removals = excluded.removals, cause = excluded.cause",
	[SQL_LISTING_ALL] = "SELECT " LISTING_COLUMNS
			    " FROM listing WHERE list = $1 AND subject > $2 AND state = 1"
			    " ORDER BY subject LIMIT $3",
	[SQL_LISTING_DUE] = "SELECT " LISTING_COLUMNS
			    " FROM listing WHERE state = 1 AND expires > 0 AND expires <= $1"
			    " ORDER BY expires LIMIT $2",

	[SQL_JOURNAL_ADD] = "INSERT INTO journal(at, who, action, list, subject, reason)"
			    " VALUES ($1, $2, $3, $4, $5, $6)",
	[SQL_JOURNAL_ALL] = "SELECT " JOURNAL_COLUMNS
			    " FROM journal j JOIN list l ON l.id = j.list WHERE j.number < $1"
			    " ORDER BY j.number DESC LIMIT $2",
	[SQL_JOURNAL_OF] =
		"SELECT " JOURNAL_COLUMNS " FROM journal j JOIN list l ON l.id = j.list"
		" WHERE j.number < $1 AND j.subject = $2 ORDER BY j.number DESC LIMIT $3",
	[SQL_JOURNAL_LAST] =
		"SELECT at FROM (SELECT at, action, list FROM journal WHERE subject = $1"
		" ORDER BY number DESC LIMIT 100) AS newest WHERE list = $2 AND action = $3 LIMIT "
		"1",

	[SQL_CHANGE_ADD] = "INSERT INTO change(serial, list, subject, op, code, text, expires)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7)",
	[SQL_CHANGE_AFTER] =
		"SELECT c.serial, c.list, c.op, c.code, c.expires, l.name, c.subject, c.text"
		" FROM change c JOIN list l ON l.id = c.list WHERE c.serial > $1"
		" ORDER BY c.serial LIMIT $2",
	[SQL_CHANGE_PRUNE] =
		"DELETE FROM change WHERE serial IN"
		" (SELECT serial FROM change WHERE serial <= $1 ORDER BY serial LIMIT $2)",
	[SQL_CHANGE_OLDEST] = "SELECT min(serial) FROM change",

	[SQL_REMOVAL_ADD] =
		"INSERT INTO removal(list, subject, at, requester, note, fcrdns, language, granted,"
		" outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	[SQL_REMOVAL_GRANTED] = "SELECT count(*), coalesce(min(at), 0) FROM removal"
				" WHERE list = $1 AND subject = $2 AND at >= $3 AND granted = 1",
};

const char *store_sql_text(enum db_engine engine, enum store_sql which)
{
	if (which == SQL_BEGIN)
		return engine == DB_SQLITE ? "BEGIN IMMEDIATE"
					   : "BEGIN ISOLATION LEVEL READ COMMITTED";
	return texts[which];
}
