/* pages_private.h - between pages.c, page_lookup.c and page_removal.c. */
#pragma once

#include "base/duration.h"
#include "webd/exchange.h"

json_t *words(const struct exchange *x, const char *msgid);
/* Takes message over. */
void answer_error(struct exchange *x, unsigned status, const char *title, json_t *message);
void answer_listd_away(struct exchange *x);
/* Takes message over; fn gets x and must exchange_release() it. False: an answer has been given. */
bool ask_listd(struct exchange *x, json_t *message, ipc_reply_fn *fn);
/* True when listd did what it was asked; what it says instead is logged. */
bool listd_agreed(const json_t *reply);
/* False: refused with 429. */
bool within_limit(struct exchange *x, struct limiter *limiter);

/* as_path: an address that is no query is then not found rather than malformed. */
void serve_lookup(struct exchange *x, struct slice query, bool as_path);
void serve_removal(struct exchange *x);
