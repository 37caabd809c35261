/* requests.h - one function for each type of message (docs/messages.md): JSON in, JSON out. No socket
 * and no clock; the store is whatever the ledger stands on. */
#pragma once

#include "ledger/ledger.h"
#include "config/roles.h"

#include <jansson.h>

struct desk {
	const struct config *config;
	struct ledger *ledger;
	struct roles roles;
	int64_t snapshot_serial; /* of the snapshot that dnsd reads */
	bool snapshot_wanted;	 /* set by the request `snapshot` */
};

struct asker {
	uid_t uid;
	enum role role; /* set by `hello` */
};

/* The reply to any JSON value at all; the caller owns it. A request that changes something opens the
 * store's group: commit before the reply is sent, and after a failed commit send
 * requests_lost() instead. */
json_t *requests_answer(struct desk *d, struct asker *a, const json_t *message, int64_t now_ms);
/* What to tell instead of `reply` (taken over), when the store could not keep it. */
json_t *requests_lost(json_t *reply, const struct err *err);
