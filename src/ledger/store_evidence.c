/* store_evidence.c - evidence, and which subjects on which lists it speaks against. */
#include "ledger/store_private.h"

bool store_meta_get(struct store *s, const char *key, int64_t *ret, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_META_GET, err);

	if (!st)
		return false;
	db_bind_text(st, 1, key);
	return store_run_int(s, st, ret, err);
}

bool store_meta_put(struct store *s, const char *key, int64_t value, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_META_PUT, err);

	if (!st)
		return false;
	db_bind_text(st, 1, key);
	db_bind_int(st, 2, value);
	return store_run(s, st, err);
}

bool store_evidence_count(struct store *s, int64_t *ret, struct err *err)
{
	if (!store_meta_get(s, "evidence", ret, err))
		return false;
	*ret += s->in_group ? s->counts.evidence : 0;
	return true;
}

static bool evidence_by_uid(struct store *s, struct slice uid, int64_t *ret_id, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_BY_UID, err);

	if (!st)
		return false;
	db_bind_slice(st, 1, uid);
	return store_run_int(s, st, ret_id, err);
}

bool store_evidence_add(
	struct store *s, const struct evidence *e, int64_t *ret_id, bool *ret_new, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_ADD, err);
	int64_t id = 0;

	if (!st)
		return false;
	db_bind_slice(st, 1, e->uid);
	db_bind_int(st, 2, e->at_ms);
	db_bind_int(st, 3, e->received_ms);
	db_bind_int(st, 4, (int)e->kind);
	db_bind_int(st, 5, (int)e->class);
	db_bind_slice(st, 6, e->ip);
	db_bind_int(st, 7, e->port);
	db_bind_slice(st, 8, e->sensor);
	db_bind_slice(st, 9, e->trap);
	db_bind_slice(st, 10, e->helo);
	db_bind_slice(st, 11, e->mail_from_domain);
	db_bind_slice(st, 12, e->subject_line);
	db_bind_int(st, 13, (int64_t)e->size);
	db_bind_slice(st, 14, e->body_hash);
	db_bind_slice(st, 15, e->sample);
	if (!store_run_int(s, st, &id, err))
		return false;
	*ret_new = id > 0;
	if (!*ret_new)
		return evidence_by_uid(s, e->uid, ret_id, err);
	*ret_id = id;
	s->counts.evidence++;
	return true;
}

bool store_evidence_tie(struct store *s, int64_t list, const char *subject,
	const struct evidence *e, int64_t id, int64_t weight, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_TIE, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	db_bind_int(st, 3, e->at_ms);
	db_bind_int(st, 4, id);
	db_bind_int(st, 5, weight);
	db_bind_slice(st, 6, e->trap);
	return store_run(s, st, err);
}

bool store_evidence_sum(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	struct policy_sum *ret, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_SUM, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	db_bind_int(st, 3, since_ms);
	if (store_step(s, st, err) == DB_FAULT)
		return false;
	*ret = (struct policy_sum){db_int(st, 0), db_int(st, 1)};
	db_reset(st);
	return true;
}

bool store_evidence_last(
	struct store *s, int64_t list, const char *subject, int64_t *ret_ms, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_LAST, err);

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	*ret_ms = 0;
	return store_run_int(s, st, ret_ms, err);
}

static struct evidence evidence_of_row(struct db_statement *st)
{
	return (struct evidence){
		.id = db_int(st, 0),
		.at_ms = db_int(st, 1),
		.received_ms = db_int(st, 2),
		.kind = (enum evidence_kind)db_int(st, 3),
		.class = (enum evidence_class)db_int(st, 4),
		.port = (uint16_t)db_int(st, 5),
		.size = (uint64_t)db_int(st, 6),
		.uid = db_text(st, 7),
		.ip = db_text(st, 8),
		.sensor = db_text(st, 9),
		.trap = db_text(st, 10),
		.helo = db_text(st, 11),
		.mail_from_domain = db_text(st, 12),
		.subject_line = db_text(st, 13),
		.body_hash = db_text(st, 14),
		.sample = db_text(st, 15),
	};
}

bool store_evidence_each(struct store *s, int64_t list, const char *subject, int limit,
	void (*each)(void *ctx, const struct evidence *e), void *ctx, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_OF, err);
	enum db_step step;

	if (!st)
		return false;
	db_bind_int(st, 1, list);
	db_bind_text(st, 2, subject);
	db_bind_int(st, 3, limit);
	while ((step = store_step(s, st, err)) == DB_ROW) {
		struct evidence e = evidence_of_row(st);

		each(ctx, &e);
	}
	if (step == DB_FAULT)
		return false;
	db_reset(st);
	return true;
}

bool store_evidence_prune(
	struct store *s, int64_t before_ms, int limit, int *ret_count, struct err *err)
{
	struct db_statement *st = store_sql(s, SQL_EVIDENCE_PRUNE, err);
	int64_t count;

	if (!st)
		return false;
	db_bind_int(st, 1, before_ms);
	db_bind_int(st, 2, limit);
	if (!store_run_count(s, st, &count, err))
		return false;
	s->counts.evidence -= count;
	*ret_count = (int)count;
	return true;
}
