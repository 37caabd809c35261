/* requests.c - one function for each type of message (docs/messages.md): JSON in, JSON out. */
#include "listd/requests_private.h"

#include "io/ipc.h"

static const struct request_type {
	const char *name;
	unsigned roles; /* who may send it */
	bool writes;
	request_fn *run;
} types[] = {
	{"evidence", ROLE_TRAPD | ROLE_ADMIN, true, request_evidence},
	{"lookup", ROLE_WEBD | ROLE_GATED | ROLE_ADMIN, false, request_lookup},
	{"removal", ROLE_WEBD | ROLE_ADMIN, true, request_removal},
	{"add", ROLE_ADMIN, true, request_add},
	{"remove", ROLE_ADMIN, true, request_remove},
	{"import", ROLE_ADMIN, true, request_import},
	{"export", ROLE_WEBD | ROLE_ADMIN, false, request_export},
	{"journal", ROLE_ADMIN, false, request_journal},
	{"status", ROLE_ANY, false, request_status},
	{"snapshot", ROLE_ADMIN, false, request_snapshot},
};

bool request_fail(struct request *q, const char *reason)
{
	q->reason = reason;
	return false;
}

bool request_fields_ok(struct request *q, const struct fields *f)
{
	return !f->bad || request_fail(q, "field");
}

const struct ledger_list *request_list(struct request *q, struct fields *f)
{
	struct slice name = field_text(f, "list", 255, true);
	const struct ledger_list *list;

	if (f->bad)
		return NULL;
	list = ledger_list_find(q->desk->ledger, name);
	if (!list) {
		err_set(&q->err, ERR_MISSING, "there is no list '%.*s' in the configuration",
			SLICE_FMT(name));
		request_fail(q, "list");
	}
	return list;
}

bool request_subject(struct request *q, struct fields *f, struct subject *ret)
{
	struct slice text = field_text(f, "subject", 1000, true);

	if (f->bad)
		return request_fail(q, "field");
	return subject_parse(text, ret, &q->err) || request_fail(q, "subject");
}

/* Refusals have their own word: what is wrong is the request, not the store. */
bool request_changed(struct request *q, bool ok)
{
	if (ok)
		return true;
	return request_fail(q, q->err.kind == ERR_SYSTEM ? "store" : "refused");
}

json_t *requests_lost(json_t *reply, const struct err *err)
{
	json_t *lost = ipc_failure(reply, "store", err->text);

	json_decref(reply);
	return lost;
}

static json_t *hello(struct desk *d, struct asker *a, const json_t *message)
{
	struct err err;
	struct fields f = fields_of(message, &err);
	struct slice name = field_text(&f, "role", 32, true);
	int64_t serial = 0;
	json_t *reply;

	if (f.bad)
		return ipc_failure(message, "field", err.text);
	if (a->role != ROLE_NONE)
		return ipc_failure(
			message, "role", "the role is set already, once for each connection");
	a->role = roles_grant(&d->roles, name, a->uid);
	if (a->role == ROLE_NONE)
		return ipc_failure(message, "role", "this user may not have this role");
	if (!store_serial(ledger_store(d->ledger), &serial, &err))
		return ipc_failure(message, "store", err.text);
	reply = ipc_success(message);
	json_object_set_new(reply, "serial", json_integer(serial));
	return reply;
}

static const struct request_type *type_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (slice_eq(name, slice_str(types[i].name)))
			return &types[i];
	return NULL;
}

static json_t *run(struct desk *d, struct asker *a, const json_t *message,
	const struct request_type *t, int64_t now_ms)
{
	struct request q = {
		.desk = d, .asker = a, .message = message, .now_ms = now_ms, .reason = "store"};
	json_t *failed;

	if (a->role == ROLE_ADMIN)
		snprintf(q.who, sizeof q.who, "admin:%lu", (unsigned long)a->uid);
	else
		snprintf(q.who, sizeof q.who, "%s", role_word(a->role));
	if (t->writes && !store_begin(ledger_store(d->ledger), &q.err))
		return ipc_failure(message, "store", q.err.text);
	q.reply = ipc_success(message);
	if (t->run(&q))
		return q.reply;
	failed = ipc_failure(message, q.reason, q.err.text);
	json_decref(q.reply);
	return failed;
}

json_t *requests_answer(struct desk *d, struct asker *a, const json_t *message, int64_t now_ms)
{
	const json_t *type = json_object_get(message, "type");
	struct slice name = slice_of(json_string_value(type), json_string_length(type));
	const struct request_type *t;

	if (!json_is_object(message) || !json_is_string(type))
		return ipc_failure(
			message, "syntax", "a message is a JSON object with a text 'type'");
	if (slice_eq(name, SLICE("hello")))
		return hello(d, a, message);
	if (a->role == ROLE_NONE)
		return ipc_failure(message, "hello-first", "say hello with a role first");
	t = type_find(name);
	if (!t)
		return ipc_failure(message, "unknown-type", "there is no such type of message");
	if (!(t->roles & a->role))
		return ipc_failure(message, "role", "this role may not send this type of message");
	return run(d, a, message, t, now_ms);
}
