/* log.h - one line per event: a stable name, then key=value words. Only roles and programs log;
 * libraries return an err. On a terminal coloured, under systemd with <N> priorities (sd-daemon(3)),
 * else with the time in front. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"

enum log_level { LOG_ERROR = 3, LOG_WARN = 4, LOG_NOTE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* program: shown before each line where nothing else says it. Lines above `max` are dropped. */
void log_open(const char *program, enum log_level max);
/* Every line goes to fn, too, without time and colour. NULL: no more. */
void log_copy(void (*fn)(int level, const char *line));
void log_event(enum log_level level, const char *event, const char *fmt, ...) ATTR_FORMAT(3, 4);

struct log_quoted {
	char s[260];
};
/* Words from outside, safe on one line: in double quotes, controls and quotes escaped, cut at 200. */
struct log_quoted log_quote(struct slice s);
