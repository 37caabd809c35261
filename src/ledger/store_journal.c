/* store_journal.c - the journal, the changes for dnsd, and the removal requests. */
#include "ledger/store_private.h"

const char *journal_action_word(enum journal_action a)
{
	static const char *const words[] = {
		[JOURNAL_LISTED] = "listed",
		[JOURNAL_RENEWED] = "renewed",
		[JOURNAL_REMOVED] = "removed",
		[JOURNAL_REFUSED] = "refused",
		[JOURNAL_EXPIRED] = "expired",
		[JOURNAL_IMPORTED] = "imported",
	};

	return a >= JOURNAL_LISTED && a <= JOURNAL_IMPORTED ? words[a] : "unknown";
}

bool store_journal_add(struct store *s, int64_t at_ms, const char *who, enum journal_action action,
	int64_t list, const char *subject, const struct reason *reason, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_JOURNAL_ADD, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, at_ms);
	bind_text(st, 2, who);
	sqlite3_bind_int(st, 3, (int)action);
	sqlite3_bind_int64(st, 4, list);
	bind_text(st, 5, subject);
	bind_text(st, 6, reason_store(reason).s);
	return store_run(s, st, err);
}

bool store_journal_each(struct store *s, const char *subject, int64_t before, int limit,
	void (*each)(void *ctx, const struct journal_entry *e), void *ctx, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, subject ? SQL_JOURNAL_OF : SQL_JOURNAL_ALL, err);
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, before > 0 ? before : INT64_MAX);
	sqlite3_bind_int(st, 2, limit);
	if (subject)
		bind_text(st, 3, subject);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW) {
		struct journal_entry e = {
			.number = sqlite3_column_int64(st, 0),
			.at_ms = sqlite3_column_int64(st, 1),
			.action = (enum journal_action)sqlite3_column_int(st, 2),
			.list = sqlite3_column_int64(st, 3),
			.who = column_slice(st, 4),
			.list_name = column_slice(st, 5),
			.subject = column_slice(st, 6),
			.reason = reason_load(column_slice(st, 7)),
		};
		each(ctx, &e);
	}
	if (rc < 0)
		return false;
	store_reset(st);
	return true;
}

bool store_journal_last(struct store *s, int64_t list, const char *subject,
	enum journal_action action, int64_t *ret_at_ms, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_JOURNAL_LAST, err);

	if (!st)
		return false;
	bind_text(st, 1, subject);
	sqlite3_bind_int64(st, 2, list);
	sqlite3_bind_int(st, 3, (int)action);
	*ret_at_ms = 0;
	return store_int(s, st, ret_at_ms, err);
}

bool store_change_add(struct store *s, enum store_op op, const struct listing *l, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_CHANGE_ADD, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, l->list);
	bind_text(st, 2, l->subject);
	sqlite3_bind_int(st, 3, (int)op);
	sqlite3_bind_int64(st, 4, l->code);
	bind_text(st, 5, l->text);
	sqlite3_bind_int64(st, 6, l->expires_ms);
	return store_run(s, st, err);
}

bool store_serial(struct store *s, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_SERIAL, err);

	*ret = 0;
	return st && store_int(s, st, ret, err);
}

bool store_serial_raise(struct store *s, int64_t serial, struct err *err)
{
	sqlite3_stmt *st;

	/* SQLite writes the row of its counter at the first insert only. */
	if (sqlite3_exec(s->db,
		    "INSERT INTO sqlite_sequence(name, seq) SELECT 'change', 0"
		    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'change')",
		    NULL, NULL, NULL)
		!= SQLITE_OK)
		return err_set(err, ERR_SYSTEM, "store: %s", sqlite3_errmsg(s->db));
	st = store_sql(s, SQL_SERIAL_RAISE, err);
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, serial);
	return store_run(s, st, err);
}

bool store_change_each(struct store *s, int64_t after_serial,
	bool (*each)(void *ctx, const struct store_change *c), void *ctx, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_CHANGE_AFTER, err);
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, after_serial);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW) {
		struct store_change c = {
			.serial = sqlite3_column_int64(st, 0),
			.list = sqlite3_column_int64(st, 1),
			.op = (enum store_op)sqlite3_column_int(st, 2),
			.code = (uint32_t)sqlite3_column_int64(st, 3),
			.expires_ms = sqlite3_column_int64(st, 4),
			.list_name = column_slice(st, 5),
			.subject = column_slice(st, 6),
			.text = column_slice(st, 7),
		};
		if (!each(ctx, &c))
			break;
	}
	if (rc < 0)
		return false;
	store_reset(st);
	return true;
}

bool store_change_prune(struct store *s, int64_t up_to, int limit, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_CHANGE_PRUNE, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, up_to);
	sqlite3_bind_int(st, 2, limit);
	return store_run(s, st, err);
}

bool store_change_oldest(struct store *s, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_CHANGE_OLDEST, err);

	*ret = 0;
	return st && store_int(s, st, ret, err);
}

bool store_removal_add(struct store *s, int64_t list, const char *subject,
	const struct removal_request *r, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_REMOVAL_ADD, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	sqlite3_bind_int64(st, 3, r->at_ms);
	bind_text(st, 4, r->requester);
	bind_text(st, 5, r->note);
	bind_text(st, 6, r->fcrdns);
	bind_text(st, 7, r->language);
	sqlite3_bind_int(st, 8, r->granted);
	bind_text(st, 9, r->outcome);
	return store_run(s, st, err);
}

bool store_removal_granted(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	int64_t *ret_count, int64_t *ret_oldest_ms, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_REMOVAL_GRANTED, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	sqlite3_bind_int64(st, 3, since_ms);
	if (store_step(s, st, err) < 0)
		return false;
	*ret_count = sqlite3_column_int64(st, 0);
	*ret_oldest_ms = sqlite3_column_int64(st, 1);
	store_reset(st);
	return true;
}
