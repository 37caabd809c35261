/* requests_private.h - shared by the files that answer requests. */
#pragma once

#include "listd/fields.h"
#include "listd/objects.h"
#include "listd/requests.h"

/* A reply stays below this, so that it fits into one record (IPC_RECORD_MAX) with its envelope. */
#define REPLY_MAX ((size_t)100 * 1024)

struct request {
	struct desk *desk;
	const struct asker *asker;
	const json_t *message;
	int64_t now_ms;
	char who[32];  /* for the journal */
	json_t *reply; /* to be filled */
	struct err err;
	const char *reason; /* stable word, when it fails */
};

/* False: q->err and q->reason say why, and nothing has changed. */
typedef bool request_fn(struct request *q);

request_fn request_evidence, request_lookup, request_removal, request_add, request_remove,
	request_import, request_export, request_journal, request_status, request_snapshot;

bool request_fail(struct request *q, const char *reason);
bool request_fields_ok(struct request *q, const struct fields *f);
bool request_changed(struct request *q, bool ok);
const struct ledger_list *request_list(struct request *q, struct fields *f); /* the field "list" */
bool request_subject(
	struct request *q, struct fields *f, struct subject *ret); /* the field "subject" */
