/* objects.h - store rows as the JSON objects of docs/messages.md. */
#pragma once

#include "ledger/ledger.h"

#include <jansson.h>

/* A code and what belongs to it; sentences are made by those who show it. */
json_t *object_reason(const struct reason *r);
/* `state` is the state at this moment, also when the sweep has not come by yet. */
json_t *object_listing(const struct ledger_list *list, const struct listing *g, int64_t now_ms);
/* Without trap, uid, port and body hash: nothing that tells a trap address. At most sample_max bytes
 * of the sample. */
json_t *object_evidence(const struct evidence *e, size_t sample_max);
/* full: says which operator; else the role only. */
json_t *object_journal(const struct journal_entry *e, bool full);
size_t object_size(const json_t *o); /* bytes of its JSON text */
