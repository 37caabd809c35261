/* query_log.h - every question on a line, as rbldnsd -l writes it; for looking into what goes on, not for
 * busy servers: all threads share one file. A key in a question is shown as "*". */
#pragma once

#include "dnsd/answer/answer.h"

struct query_log;

/* path: "-" is standard output. at_once: each line is written by itself; else when some have come together,
 * and at query_log_flush(). NULL: it cannot be opened, with words in err. */
struct query_log *query_log_new(const char *path, bool at_once, struct err *err);
struct query_log *query_log_free(struct query_log *l); /* writes what is left; NULL is fine */
/* Any thread. A message that got no reply (size 0) is not logged, as with rbldnsd. */
void query_log_add(struct query_log *l, const struct ip *peer, int64_t now_s, struct slice message,
	struct slice reply, const struct answer_note *note);
void query_log_flush(struct query_log *l);
/* Opens the file anew: it was moved away. Standard output is written to only. Keeps the old on failure. */
bool query_log_reopen(struct query_log *l, struct err *err);
