/* log.c - structured log lines on standard error. */
#include "base/log.h"
#include "base/duration.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_level max;
	bool journal, colour;
	void (*copy)(int level, const char *line);
} out = {"sekisho", LOG_INFO, false, false, NULL};

void log_copy(void (*fn)(int level, const char *line))
{
	out.copy = fn;
}

void log_open(const char *program, enum log_level max)
{
	out.program = program;
	out.max = max;
	out.journal = getenv("JOURNAL_STREAM") != NULL;
	out.colour = !out.journal && isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

static const char *colour_of(enum log_level level)
{
	if (level <= LOG_ERROR)
		return "\033[31m";
	return level == LOG_WARN ? "\033[33m" : level >= LOG_DEBUG ? "\033[2m" : "";
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = {"", "", "", "error", "warn", "note", "info", "debug"};
	char line[2048];
	struct timespec now;
	int n, event_at;
	va_list ap;

	if (level > out.max)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out.journal)
		n = snprintf(line, sizeof line, "<%d>%s", (int)level, event);
	else
		n = snprintf(line, sizeof line, "%s%s %s %s: %s",
			out.colour ? colour_of(level) : "", time_text((int64_t)now.tv_sec * 1000).s,
			names[level], out.program, event);
	event_at = n - (int)strlen(event);
	if (fmt && *fmt) {
		line[n++] = ' ';
		va_start(ap, fmt);
		n += vsnprintf(line + n, sizeof line - (size_t)n - 8, fmt, ap);
		va_end(ap);
		n = MIN(n, (int)sizeof line - 9);
	}
	if (out.copy)
		out.copy((int)level, line + event_at);
	n += snprintf(line + n, sizeof line - (size_t)n, "%s\n", out.colour ? "\033[0m" : "");
	/* One write, so that lines of several processes on one file never mix. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

struct log_quoted log_quote(struct slice s)
{
	struct log_quoted q;
	size_t n = 0;

	q.s[n++] = '"';
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (n > 200) {
			n += (size_t)snprintf(q.s + n, 4, "...");
			break;
		}
		if (c < ' ' || c == 0x7f)
			n += (size_t)snprintf(q.s + n, 5, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)snprintf(q.s + n, 3, "\\%c", c);
		else
			q.s[n++] = (char)c;
	}
	q.s[n++] = '"';
	q.s[n] = '\0';
	return q;
}
