/* store_journal.c - the journal, the changes for dnsd, and the removal requests. */
#include "ledger/store_private.h"

#define CHANGES_AT_ONCE 10000

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
	struct db_statement *st = store_sql(s, SQL_JOURNAL_ADD, err);

	if (!st)
		return false;
	db_bind_int(st, 1, at_ms);
	db_bind_text(st, 2, who);
	db_bind_int(st, 3, (int)action);
	db_bind_int(st, 4, list);
	db_bind_text(st, 5, subject);
	db_bind_text(st, 6, reason_store(reason).s);
	return store_run(s, st, err);
}

bool store_journal_each(struct store *s, const char *subject, int64_t before, int limit,
	void (*each)(void *ctx, const struct journal_entry *e), void *ctx, struct err *err)
{
	struct db_statement *st = store_sql(s, subject ? SQL_JOURNAL_OF : SQL_JOURNAL_ALL, err);
	enum db_step step;

	if (!st)
		return false;
	db_bind_int(st, 1, before > 0 ? before : INT64_MAX);
	if (subject)
		db_bind_text(st, 2, subject);
	db_bind_int(st, subject ? 3 : 2, limit);
	while ((step = store_step(s, st, err)) == DB_ROW) {
		struct journal_entry e = {
			.number = db_int(st, 0),
			.at_ms = db_int(st, 1),
			.action = (enum journal_action)db_int(st, 2),
			.list = db_int(st, 3),
			.who = db_text(st, 4),
			.list_name = db_text(st, 5),
			.subject = db_text(st, 6),
			.reason = reason_load(db_text(st, 7)),
		};
		each(ctx, &e);
	}
	if (step == DB_FAULT)
		return false;
	db_reset(st);
	return true;
}

bool store_journal_last(struct store *s, int64_t list, const char *subject,
	enum journal_action action, int64_t *ret_at_ms, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_JOURNAL_LAST, err);

	if (!st)
		return false;
	db_bind_text(st, 1, subject);
	db_bind_int(st, 2, list);
	db_bind_int(st, 3, (int)action);
	*ret_at_ms = 0;
	return store_run_int(s, st, ret_at_ms, err);
}

static bool serial_load(struct store *s, struct err *err)
{
	if (!s->counts.serial_known && !store_meta_get(s, "serial", &s->counts.serial, err))
		return false;
	s->counts.serial_known = true;
	return true;
}

bool store_change_add(struct store *s, enum store_op op, const struct listing *l, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_CHANGE_ADD, err);

	if (!st || !serial_load(s, err))
		return false;
	db_bind_int(st, 1, s->counts.serial + 1);
	db_bind_int(st, 2, l->list);
	db_bind_text(st, 3, l->subject);
	db_bind_int(st, 4, (int)op);
	db_bind_int(st, 5, l->code);
	db_bind_text(st, 6, l->text);
	db_bind_int(st, 7, l->expires_ms);
	if (!store_run(s, st, err))
		return false;
	s->counts.serial++;
	return true;
}

bool store_serial(struct store *s, int64_t *ret, struct err *err)
{
	if (s->in_group && s->counts.serial_known) {
		*ret = s->counts.serial;
		return true;
	}
	*ret = 0;
	return store_meta_get(s, "serial", ret, err);
}

bool store_serial_raise(struct store *s, int64_t serial, struct err *err)
{
	if (!serial_load(s, err))
		return false;
	s->counts.serial = MAX(s->counts.serial, serial);
	return true;
}

bool store_change_each(struct store *s, int64_t after_serial,
	bool (*each)(void *ctx, const struct store_change *c), void *ctx, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_CHANGE_AFTER, err);
	enum db_step step;

	if (!st)
		return false;
	db_bind_int(st, 1, after_serial);
	db_bind_int(st, 2, CHANGES_AT_ONCE);
	while ((step = store_step(s, st, err)) == DB_ROW) {
		struct store_change c = {
			.serial = db_int(st, 0),
			.list = db_int(st, 1),
			.op = (enum store_op)db_int(st, 2),
			.code = (uint32_t)db_int(st, 3),
			.expires_ms = db_int(st, 4),
			.list_name = db_text(st, 5),
			.subject = db_text(st, 6),
			.text = db_text(st, 7),
		};
		if (!each(ctx, &c))
			break;
	}
	if (step == DB_FAULT)
		return false;
	db_reset(st);
	return true;
}

bool store_change_prune(struct store *s, int64_t up_to, int limit, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_CHANGE_PRUNE, err);

	if (!st)
		return false;
	db_bind_int(st, 1, up_to);
	db_bind_int(st, 2, limit);
	return store_run(s, st, err);
}

bool store_change_oldest(struct store *s, int64_t *ret, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_CHANGE_OLDEST, err);

	*ret = 0;
	return st && store_run_int(s, st, ret, err);
}

bool store_removal_add(struct store *s, int64_t list, const char *subject,
	const struct removal_request *r, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_REMOVAL_ADD, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	db_bind_int(st, 3, r->at_ms);
	db_bind_text(st, 4, r->requester);
	db_bind_text(st, 5, r->note);
	db_bind_text(st, 6, r->fcrdns);
	db_bind_text(st, 7, r->language);
	db_bind_int(st, 8, r->granted);
	db_bind_text(st, 9, r->outcome);
	return store_run(s, st, err);
}

bool store_removal_granted(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	int64_t *ret_count, int64_t *ret_oldest_ms, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_REMOVAL_GRANTED, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	db_bind_int(st, 3, since_ms);
	if (store_step(s, st, err) == DB_FAULT)
		return false;
	*ret_count = db_int(st, 0);
	*ret_oldest_ms = db_int(st, 1);
	db_reset(st);
	return true;
}
