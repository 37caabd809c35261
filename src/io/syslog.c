/* syslog.c - the log's lines to syslog(3). */
#include "base/log.h" /* first: <syslog.h> has macros of the same names */
#include "io/daemon.h"

#include <syslog.h>

static void to_syslog(int level, const char *line)
{
	syslog(level, "%s", line);
}

void daemon_syslog(const char *program, int facility)
{
	/* Opened now: in the sandbox no socket can be made. */
	openlog(program, LOG_PID | LOG_NDELAY, facility);
	log_copy(to_syslog);
}
