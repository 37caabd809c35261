/* requests_read.c - the messages that only ask. */
#include "listd/requests_private.h"

#include "base/mem.h"

#define LOOKUP_LISTINGS_MAX 32
#define LOOKUP_EVIDENCE_MAX 10
#define LOOKUP_SAMPLES_MAX ((size_t)32 * 1024)
#define LOOKUP_HISTORY_MAX 50
#define EXPORT_MAX 500
#define JOURNAL_MAX 500

/* ---- lookup ---- */

struct lookup {
	struct request *q;
	json_t *active, *ended; /* active ones come first in the reply */
	size_t count;
	size_t samples_left; /* bytes of samples that still fit */
	json_t *history;
	bool full;
};

struct evidence_into {
	json_t *array;
	size_t *samples_left;
};

static void add_evidence(void *ctx, const struct evidence *e)
{
	struct evidence_into *into = ctx;
	json_t *o = object_evidence(e, *into->samples_left);

	*into->samples_left -= MIN(*into->samples_left, e->sample.len);
	json_array_append_new(into->array, o);
}

static bool lookup_listing(
	struct lookup *k, const struct ledger_list *list, const struct subject *s)
{
	struct store *store = ledger_store(k->q->desk->ledger);
	struct evidence_into into = {.samples_left = &k->samples_left};
	struct listing g;
	json_t *o;
	bool found, active;

	if (!store_listing_get(store, list->id, s->text, &g, &found, &k->q->err))
		return false;
	if (!found || k->count >= LOOKUP_LISTINGS_MAX)
		return true;
	k->count++;
	o = object_listing(list, &g, k->q->now_ms);
	into.array = json_array();
	json_object_set_new(o, "evidence", into.array);
	active = slice_eq(
		slice_str(json_string_value(json_object_get(o, "state"))), SLICE("active"));
	json_array_append_new(active ? k->active : k->ended, o);
	return store_evidence_each(
		store, list->id, s->text, LOOKUP_EVIDENCE_MAX, add_evidence, &into, &k->q->err);
}

static void add_history(void *ctx, const struct journal_entry *e)
{
	struct lookup *k = ctx;

	json_array_append_new(k->history, object_journal(e, k->full));
}

/* The journal of what was asked, and of wider subjects that are listed. */
static bool lookup_history(struct lookup *k, const struct subject *s)
{
	int left = LOOKUP_HISTORY_MAX - (int)json_array_size(k->history);

	return left <= 0
	       || store_journal_each(ledger_store(k->q->desk->ledger), s->text, 0, left,
		       add_history, k, &k->q->err);
}

static bool lookup_subject(struct lookup *k, const struct subject *s, bool asked)
{
	struct ledger *ledger = k->q->desk->ledger;
	enum list_kind kind = s->kind == SUBJECT_PREFIX ? LIST_IP : LIST_DOMAIN;
	size_t before = k->count;

	for (size_t i = 0; i < ledger_list_count(ledger); i++) {
		const struct ledger_list *list = ledger_list_at(ledger, i);

		if (list->config->kind == kind && !lookup_listing(k, list, s))
			return false;
	}
	return (!asked && k->count == before) || lookup_history(k, s);
}

/* Samples may grow when written as JSON; the record must not outgrow its limit. */
static void shrink(json_t *listings, const json_t *reply)
{
	static const char *const less[] = {"sample", "subject_line", "helo"};
	size_t i, k;
	json_t *g, *e;

	for (size_t n = 0; n < ARRAY_LEN(less) && object_size(reply) > REPLY_MAX; n++)
		json_array_foreach(listings, i, g)
			json_array_foreach(json_object_get(g, "evidence"), k, e)
				json_object_set_new(e, less[n], json_string(""));
	if (object_size(reply) > REPLY_MAX)
		json_array_foreach(listings, i, g) json_array_clear(json_object_get(g, "evidence"));
}

bool request_lookup(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct lookup k = {
		.q = q, .samples_left = LOOKUP_SAMPLES_MAX, .full = q->asker->role == ROLE_ADMIN};
	struct subject asked, wider;
	bool ok = true;

	if (!request_subject(q, &f, &asked))
		return false;
	k.active = json_array();
	k.ended = json_array();
	k.history = json_array();
	for (unsigned n = 0; ok && subject_wider(&asked, n, &wider); n++)
		ok = lookup_subject(&k, &wider, n == 0);
	json_array_extend(k.active, k.ended);
	json_decref(k.ended);
	json_object_set_new(q->reply, "subject", json_string(asked.text));
	json_object_set_new(q->reply, "listings", k.active);
	json_object_set_new(q->reply, "history", k.history);
	if (!ok)
		return request_fail(q, "store");
	shrink(k.active, q->reply);
	return true;
}

/* ---- export ---- */

struct export
{
	struct request *q;
	const struct ledger_list *list;
	json_t *array;
	size_t bytes;
	int64_t left;
	bool more;
};

static bool export_one(void *ctx, const struct listing *g)
{
	struct export *x = ctx;
	json_t *o = object_listing(x->list, g, x->q->now_ms);

	x->bytes += object_size(o) + 1;
	if (x->left-- <= 0 || x->bytes > REPLY_MAX) {
		x->more = true;
		json_decref(o);
		return false;
	}
	json_array_append_new(x->array, o);
	return true;
}

bool request_export(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct export x = {.q = q, .list = request_list(q, &f)};
	struct slice after = field_text(&f, "after", 255, false);

	x.left = field_number(&f, "limit", 1, EXPORT_MAX, EXPORT_MAX);
	if (f.bad)
		return request_fail(q, "field");
	if (!x.list)
		return false;
	x.array = json_array();
	json_object_set_new(q->reply, "listings", x.array);
	if (!store_listing_each(ledger_store(q->desk->ledger), x.list->id, after.ptr,
		    (int)x.left + 1, export_one, &x, &q->err))
		return request_fail(q, "store");
	json_object_set_new(q->reply, "more", json_boolean(x.more));
	return true;
}

/* ---- journal, status, snapshot ---- */

struct journal_into {
	json_t *array;
	size_t bytes;
};

static void journal_one(void *ctx, const struct journal_entry *e)
{
	struct journal_into *into = ctx;
	json_t *o = object_journal(e, true);

	into->bytes += object_size(o) + 1;
	if (into->bytes > REPLY_MAX)
		json_decref(o);
	else
		json_array_append_new(into->array, o);
}

bool request_journal(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	int64_t before = field_number(&f, "before", 0, INT64_MAX, 0);
	int64_t limit = field_number(&f, "limit", 1, JOURNAL_MAX, 50);
	struct slice text = field_text(&f, "subject", 1000, false);
	struct journal_into into = {0};
	struct subject s;

	if (f.bad)
		return request_fail(q, "field");
	if (text.len > 0 && !subject_parse(text, &s, &q->err))
		return request_fail(q, "subject");
	into.array = json_array();
	json_object_set_new(q->reply, "entries", into.array);
	return store_journal_each(ledger_store(q->desk->ledger), text.len > 0 ? s.text : NULL,
		       before, (int)limit, journal_one, &into, &q->err)
	       || request_fail(q, "store");
}

bool request_status(struct request *q)
{
	struct ledger *ledger = q->desk->ledger;
	struct store *store = ledger_store(ledger);
	json_t *lists = json_array();
	int64_t serial = 0, evidence = 0;

	json_object_set_new(q->reply, "lists", lists);
	for (size_t i = 0; i < ledger_list_count(ledger); i++) {
		const struct ledger_list *list = ledger_list_at(ledger, i);
		int64_t active;

		if (!store_active_count(store, list->id, &active, &q->err))
			return request_fail(q, "store");
		json_array_append_new(lists, json_pack("{s:s, s:I}", "name", list->config->name,
						     "active", (json_int_t)active));
	}
	if (!store_serial(store, &serial, &q->err)
		|| !store_evidence_count(store, &evidence, &q->err))
		return request_fail(q, "store");
	json_object_set_new(q->reply, "serial", json_integer(serial));
	json_object_set_new(q->reply, "snapshot_serial", json_integer(q->desk->snapshot_serial));
	json_object_set_new(q->reply, "evidence", json_integer(evidence));
	return true;
}

bool request_snapshot(struct request *q)
{
	int64_t serial = 0;

	if (!store_serial(ledger_store(q->desk->ledger), &serial, &q->err))
		return request_fail(q, "store");
	q->desk->snapshot_wanted = true;
	json_object_set_new(q->reply, "serial", json_integer(serial));
	return true;
}
