/* store_evidence.c - evidence, and which subjects on which lists it speaks against. */
#include "ledger/store_private.h"

static bool meta_add(struct store *s, const char *key, int64_t n, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_META_ADD, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, n);
	bind_text(st, 2, key);
	return store_run(s, st, err);
}

bool store_meta_get(struct store *s, const char *key, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_META_GET, err);

	if (!st)
		return false;
	bind_text(st, 1, key);
	return store_int(s, st, ret, err);
}

bool store_meta_put(struct store *s, const char *key, int64_t value, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_META_PUT, err);

	if (!st)
		return false;
	bind_text(st, 1, key);
	sqlite3_bind_int64(st, 2, value);
	return store_run(s, st, err);
}

bool store_evidence_count(struct store *s, int64_t *ret, struct err *err)
{
	return store_meta_get(s, "evidence", ret, err);
}

static bool evidence_by_uid(struct store *s, struct slice uid, int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_BY_UID, err);

	if (!st)
		return false;
	bind_slice(st, 1, uid);
	return store_int(s, st, ret_id, err);
}

bool store_evidence_add(
	struct store *s, const struct evidence *e, int64_t *ret_id, bool *ret_new, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_ADD, err);

	if (!st)
		return false;
	bind_slice(st, 1, e->uid);
	sqlite3_bind_int64(st, 2, e->at_ms);
	sqlite3_bind_int64(st, 3, e->received_ms);
	sqlite3_bind_int(st, 4, (int)e->kind);
	sqlite3_bind_int(st, 5, (int)e->class);
	bind_slice(st, 6, e->ip);
	sqlite3_bind_int(st, 7, e->port);
	bind_slice(st, 8, e->sensor);
	bind_slice(st, 9, e->trap);
	bind_slice(st, 10, e->helo);
	bind_slice(st, 11, e->mail_from_domain);
	bind_slice(st, 12, e->subject_line);
	sqlite3_bind_int64(st, 13, (int64_t)e->size);
	bind_slice(st, 14, e->body_hash);
	bind_slice(st, 15, e->sample);
	if (!store_run(s, st, err))
		return false;
	*ret_new = sqlite3_changes(s->db) > 0;
	if (!*ret_new)
		return evidence_by_uid(s, e->uid, ret_id, err);
	*ret_id = sqlite3_last_insert_rowid(s->db);
	return meta_add(s, "evidence", 1, err);
}

bool store_evidence_tie(struct store *s, int64_t list, const char *subject,
	const struct evidence *e, int64_t id, int64_t weight, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_TIE, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	sqlite3_bind_int64(st, 3, e->at_ms);
	sqlite3_bind_int64(st, 4, id);
	sqlite3_bind_int64(st, 5, weight);
	bind_slice(st, 6, e->trap);
	return store_run(s, st, err);
}

bool store_evidence_sum(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	struct policy_sum *ret, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_SUM, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	sqlite3_bind_int64(st, 3, since_ms);
	if (store_step(s, st, err) < 0)
		return false;
	*ret = (struct policy_sum){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
	store_reset(st);
	return true;
}

bool store_evidence_last(
	struct store *s, int64_t list, const char *subject, int64_t *ret_ms, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_LAST, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	*ret_ms = 0;
	return store_int(s, st, ret_ms, err);
}

static struct evidence evidence_of_row(sqlite3_stmt *st)
{
	return (struct evidence){
		.id = sqlite3_column_int64(st, 0),
		.at_ms = sqlite3_column_int64(st, 1),
		.received_ms = sqlite3_column_int64(st, 2),
		.kind = (enum evidence_kind)sqlite3_column_int(st, 3),
		.class = (enum evidence_class)sqlite3_column_int(st, 4),
		.port = (uint16_t)sqlite3_column_int(st, 5),
		.size = (uint64_t)sqlite3_column_int64(st, 6),
		.uid = column_slice(st, 7),
		.ip = column_slice(st, 8),
		.sensor = column_slice(st, 9),
		.trap = column_slice(st, 10),
		.helo = column_slice(st, 11),
		.mail_from_domain = column_slice(st, 12),
		.subject_line = column_slice(st, 13),
		.body_hash = column_slice(st, 14),
		.sample = column_slice(st, 15),
	};
}

bool store_evidence_each(struct store *s, int64_t list, const char *subject, int limit,
	void (*each)(void *ctx, const struct evidence *e), void *ctx, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_OF, err);
	int rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, list);
	bind_text(st, 2, subject);
	sqlite3_bind_int(st, 3, limit);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW) {
		struct evidence e = evidence_of_row(st);

		each(ctx, &e);
	}
	if (rc < 0)
		return false;
	store_reset(st);
	return true;
}

static bool evidence_drop(struct store *s, int64_t id, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_DROP, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, id);
	return store_run(s, st, err);
}

bool store_evidence_prune(
	struct store *s, int64_t before_ms, int limit, int *ret_count, struct err *err)
{
	sqlite3_stmt *st = store_sql(s, SQL_EVIDENCE_OLD, err);
	int count = 0, rc;

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, before_ms);
	sqlite3_bind_int(st, 2, limit);
	while ((rc = store_step(s, st, err)) == SQLITE_ROW) {
		if (!evidence_drop(s, sqlite3_column_int64(st, 0), err)) {
			store_reset(st);
			return false;
		}
		count++;
	}
	if (rc < 0)
		return false;
	store_reset(st);
	*ret_count = count;
	return count == 0 || meta_add(s, "evidence", -count, err);
}
