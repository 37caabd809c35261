/* daemon.h - what every daemon does with its supervisor (systemd or `sekisho up`): says when it is
 * ready and stops on SIGTERM. */
#pragma once

#include "base/err.h"

/* READY=1 to $NOTIFY_SOCKET (sd_notify(3) protocol); nothing without one. Open early: the socket is
 * connected at daemon_notify_open(), so that readiness can be told from inside the sandbox. */
void daemon_notify_open(void);
void daemon_ready(void);

/* Goes on in a child of its own; the caller's process stays until that child says daemon_ready(), and ends
 * with status 0 then, with 1 when the child ends before. After daemon_ready() the child has a session of its
 * own and standard input and error lead nowhere; so does standard output unless keep_output. */
bool daemon_background(bool keep_output, struct err *err);
/* From here on every line of the log goes to syslog(3), too. `facility` is one of its LOG_ numbers. */
void daemon_syslog(const char *program, int facility);
/* The process's id, for those who send signals. */
bool daemon_pid_file(const char *path, struct err *err);
