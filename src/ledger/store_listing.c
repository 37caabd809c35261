/* store_listing.c - lists and their listings. */
#include "ledger/store_private.h"

#include <limits.h>

#define PAGE_ROWS 10000 /* asked for at once: a bound on memory */

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
	struct db_statement *get = store_sql(s, SQL_LIST_GET, err), *add;
	int64_t id = 0;

	if (!get)
		return false;
	db_bind_text(get, 1, name);
	if (!store_run_int(s, get, &id, err))
		return false;
	if (id == 0) {
		add = store_sql(s, SQL_LIST_ADD, err);
		if (!add)
			return false;
		db_bind_text(add, 1, name);
		if (!store_run_int(s, add, &id, err))
			return false;
	}
	*ret_id = id;
	return true;
}

bool store_active_count(struct store *s, int64_t list, int64_t *ret, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_LIST_ACTIVE, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	*ret = 0;
	return store_run_int(s, st, ret, err);
}

static void listing_of_row(struct db_statement *st, struct listing *ret)
{
	*ret = (struct listing){
		.list = db_int(st, 0),
		.state = (enum listing_state)db_int(st, 2),
		.code = (uint32_t)db_int(st, 3),
		.since_ms = db_int(st, 5),
		.last_ms = db_int(st, 6),
		.expires_ms = db_int(st, 7),
		.ended_ms = db_int(st, 8),
		.removed_ms = db_int(st, 9),
		.relist = (unsigned)db_int(st, 10),
		.removals = (unsigned)db_int(st, 11),
		.cause = reason_load(db_text(st, 12)),
	};
	(void)slice_copy(db_text(st, 1), ret->subject, sizeof ret->subject);
	(void)slice_copy(db_text(st, 4), ret->text, sizeof ret->text);
}

bool store_listing_get(struct store *s, int64_t list, const char *subject, struct listing *ret,
	bool *ret_found, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_LISTING_GET, err);
	enum db_step step;

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	step = store_step(s, st, err);
	if (step == DB_FAULT)
		return false;
	*ret_found = step == DB_ROW;
	if (*ret_found)
		listing_of_row(st, ret);
	db_reset(st);
	return true;
}

static bool list_count(struct store *s, int64_t list, int64_t n, struct err *err)
{
	struct db_statement *st;

	if (n == 0)
		return true;
	st = store_sql(s, SQL_LIST_COUNT, err);
	if (!st)
		return false;
	db_bind_int(st, 1, n);
	db_bind_int(st, 2, list);
	return store_run(s, st, err);
}

bool store_listing_put(struct store *s, const struct listing *l, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_LISTING_PUT, err);
	struct listing before;
	bool found, was_active;

	if (!st || !store_listing_get(s, l->list, l->subject, &before, &found, err))
		return false;
	was_active = found && before.state == LISTING_ACTIVE;
	db_bind_int(st, 1, l->list);
	db_bind_text(st, 2, l->subject);
	db_bind_int(st, 3, (int)l->state);
	db_bind_int(st, 4, l->code);
	db_bind_text(st, 5, l->text);
	db_bind_int(st, 6, l->since_ms);
	db_bind_int(st, 7, l->last_ms);
	db_bind_int(st, 8, l->expires_ms);
	db_bind_int(st, 9, l->ended_ms);
	db_bind_int(st, 10, l->removed_ms);
	db_bind_int(st, 11, l->relist);
	db_bind_int(st, 12, l->removals);
	db_bind_text(st, 13, reason_store(&l->cause).s);
	return store_run(s, st, err)
	       && list_count(s, l->list, (l->state == LISTING_ACTIVE) - (int)was_active, err);
}

/* One page of a walk. *ret_count: how many there were; after: where the next one begins. */
static bool listing_page(struct store *s, int64_t list, char *after, int limit,
	bool (*each)(void *ctx, const struct listing *l), void *ctx, int *ret_count, bool *ret_stop,
	struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_LISTING_ALL, err);
	enum db_step step;
	struct listing l;

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, after);
	db_bind_int(st, 3, limit);
	*ret_count = 0;
	while ((step = store_step(s, st, err)) == DB_ROW) {
		listing_of_row(st, &l);
		++*ret_count;
		if (!each(ctx, &l)) {
			*ret_stop = true;
			break;
		}
	}
	if (step == DB_FAULT)
		return false;
	db_reset(st);
	if (*ret_count > 0)
		memcpy(after, l.subject, sizeof l.subject);
	return true;
}

bool store_listing_each(struct store *s, int64_t list, const char *after, int limit,
	bool (*each)(void *ctx, const struct listing *l), void *ctx, struct err *err)
{
	char from[SUBJECT_TEXT_MAX];
	bool stop = false;
	int left = limit < 0 ? INT_MAX : limit, count, want;

	/* Longer than any subject: nothing comes after it. */
	if (!slice_copy(slice_str(after), from, sizeof from))
		return true;
	do {
		want = MIN(left, PAGE_ROWS);
		if (!listing_page(s, list, from, want, each, ctx, &count, &stop, err))
			return false;
		left -= count;
	} while (!stop && left > 0 && count == want);
	return true;
}

bool store_listing_due(struct store *s, int64_t now_ms, struct listing *ret, int limit,
	int *ret_count, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_LISTING_DUE, err);
	enum db_step step;
	int count = 0;

	if (!st)
		return false;
	db_bind_int(st, 1, now_ms);
	db_bind_int(st, 2, limit);
	while ((step = store_step(s, st, err)) == DB_ROW && count < limit)
		listing_of_row(st, &ret[count++]);
	if (step == DB_FAULT)
		return false;
	db_reset(st);
	*ret_count = count;
	return true;
}
