/* daemon.c - telling the supervisor that we are ready. */
#include "io/daemon.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify_fd = -1;

void daemon_notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;

	if (n == 0 || n >= sizeof un.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(un.sun_path, path, n);
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd >= 0
		&& connect(notify_fd, (struct sockaddr *)&un,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))
			   != 0) {
		close(notify_fd);
		notify_fd = -1;
	}
}

void daemon_ready(void)
{
	static const char word[] = "READY=1\n";

	if (notify_fd < 0)
		return;
	/* Nobody to tell is no fault. */
	if (send(notify_fd, word, sizeof word - 1, MSG_NOSIGNAL) < 0)
		return;
}
