/* store_listing.c - lists and their listings. */
#include "ledger/store_private.h"

const char *listing_state_word(enum listing_state state)
{
	switch (state) {
	case LISTING_ACTIVE:
		return "active";
	case LISTING_EXPIRED:
		return "expired";
	case LISTING_REMOVED:
		return "removed";
	}
	return "unknown";
}

bool store_list_id(struct store *s, const char *name, int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *get = store_sql(s, SQL_LIST_GET, err), *add;
	int64_t id = 0;

	if (!get)
		return false;
	bind_text(get, 1, name);
	if (!store_int(s, get, &id, err))
		return false;
	if (id == 0) {
		add = store_sql(s, SQL_LIST_ADD, err);
		if (!add)
			return false;
		bind_text(add, 1, name);
		if (!store_run(s, add, err))
			return false;
		id = sqlite3_last_insert_rowid(s->db);
	}
	*ret_id = id;
	return true;
}

bool store_active_count(struct store *s, int64_t list, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_LIST_ACTIVE, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	*ret = 0;
	return store_int(s, st, ret, err);
}

static void listing_of_row(sqlite3_stmt *st, struct listing *ret)
{
	*ret = (struct listing){
		.list = sqlite3_column_int64(st, 0),
		.state = (enum listing_state)sqlite3_column_int(st, 2),
		.code = (uint32_t)sqlite3_column_int64(st, 3),
		.since_ms = sqlite3_column_int64(st, 5),
		.last_ms = sqlite3_column_int64(st, 6),
		.expires_ms = sqlite3_column_int64(st, 7),
		.ended_ms = sqlite3_column_int64(st, 8),
		.removed_ms = sqlite3_column_int64(st, 9),
		.relist = (unsigned)sqlite3_column_int64(st, 10),
		.removals = (unsigned)sqlite3_column_int64(st, 11),
		.cause = reason_load(column_slice(st, 12)),
	};
	(void)slice_copy(column_slice(st, 1), ret->subject, sizeof ret->subject);
	(void)slice_copy(column_slice(st, 4), ret->text, sizeof ret->text);
}

bool store_listing_get(struct store *s, int64_t list, const char *subject, struct listing *ret,
	bool *ret_found, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_LISTING_GET, err);
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	rc = store_step(s, st, err);
	if (rc < 0)
		return false;
	*ret_found = rc == SQLITE_ROW;
	if (*ret_found)
		listing_of_row(st, ret);
	store_reset(st);
	return true;
}

static bool list_count(struct store *s, int64_t list, int64_t n, struct err *err)
{
	sqlite3_stmt *st;

	if (n == 0)
		return true;
	st = store_sql(s, SQL_LIST_COUNT, err);
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, n);
	sqlite3_bind_int64(st, 2, list);
	return store_run(s, st, err);
}

bool store_listing_put(struct store *s, const struct listing *l, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_LISTING_PUT, err);
	struct listing before;
	bool found, was_active;

	if (!st || !store_listing_get(s, l->list, l->subject, &before, &found, err))
		return false;
	was_active = found && before.state == LISTING_ACTIVE;
	sqlite3_bind_int64(st, 1, l->list);
	bind_text(st, 2, l->subject);
	sqlite3_bind_int(st, 3, (int)l->state);
	sqlite3_bind_int64(st, 4, l->code);
	bind_text(st, 5, l->text);
	sqlite3_bind_int64(st, 6, l->since_ms);
	sqlite3_bind_int64(st, 7, l->last_ms);
	sqlite3_bind_int64(st, 8, l->expires_ms);
	sqlite3_bind_int64(st, 9, l->ended_ms);
	sqlite3_bind_int64(st, 10, l->removed_ms);
	sqlite3_bind_int64(st, 11, l->relist);
	sqlite3_bind_int64(st, 12, l->removals);
	bind_text(st, 13, reason_store(&l->cause).s);
	return store_run(s, st, err)
	       && list_count(s, l->list, (l->state == LISTING_ACTIVE) - (int)was_active, err);
}

bool store_listing_each(struct store *s, int64_t list, const char *after, int limit,
	bool (*each)(void *ctx, const struct listing *l), void *ctx, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_LISTING_ALL, err);
	struct listing l;
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, after);
	sqlite3_bind_int(st, 3, limit);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW) {
		listing_of_row(st, &l);
		if (!each(ctx, &l))
			break;
	}
	if (rc < 0)
		return false;
	store_reset(st);
	return true;
}

bool store_listing_due(struct store *s, int64_t now_ms, struct listing *ret, int limit,
	int *ret_count, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_LISTING_DUE, err);
	int count = 0, rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, now_ms);
	sqlite3_bind_int(st, 2, limit);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW && count < limit)
		listing_of_row(st, &ret[count++]);
	if (rc < 0)
		return false;
	store_reset(st);
	*ret_count = count;
	return true;
}
