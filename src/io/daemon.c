/* daemon.c - telling the supervisor that we are ready. */
#include "io/daemon.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify_fd = -1;
static int parent_fd = -1; /* of the process that waits for daemon_ready() */
static int nowhere = -1;   /* /dev/null */
static bool output_stays;

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

bool daemon_background(bool keep_output, struct err *err)
{
	int ends[2];
	pid_t child;
	char c;

	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nowhere < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, "cannot go to the background");
	child = fork();
	if (child < 0)
		return err_errno(err, "cannot go to the background");
	if (child > 0) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) == 1 ? 0 : 1);
	}
	close(ends[0]);
	parent_fd = ends[1];
	output_stays = keep_output;
	return true;
}

bool daemon_pid_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		if (fd >= 0)
			close(fd);
		return err_errno(err, "%s", path);
	}
	return close(fd) == 0 || err_errno(err, "%s", path);
}

static void leave_parent(void)
{
	if (parent_fd < 0)
		return;
	setsid();
	if (write(parent_fd, "", 1) != 1)
		return; /* it was ended: nobody waits */
	close(parent_fd);
	parent_fd = -1;
	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDERR_FILENO);
	if (!output_stays)
		dup2(nowhere, STDOUT_FILENO);
}

void daemon_ready(void)
{
	static const char word[] = "READY=1\n";

	leave_parent();
	if (notify_fd < 0)
		return;
	/* Nobody to tell is no fault. */
	if (send(notify_fd, word, sizeof word - 1, MSG_NOSIGNAL) < 0)
		return;
}
