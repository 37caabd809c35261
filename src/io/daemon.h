/* daemon.h - what every daemon does with its supervisor (systemd or `sekisho up`): says when it is
 * ready and stops on SIGTERM. */
#pragma once

/* READY=1 to $NOTIFY_SOCKET (sd_notify(3) protocol); nothing without one. Open early: the socket is
 * connected at daemon_notify_open(), so that readiness can be told from inside the sandbox. */
void daemon_notify_open(void);
void daemon_ready(void);
