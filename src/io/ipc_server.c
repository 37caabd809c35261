/* ipc_server.c - the serving side of our Unix socket. */
#include "base/mem.h"
#include "io/ipc_record.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RECORDS_PER_EVENT 256 /* of one peer, then others get their turn */
#define PEERS_MAX 1024

struct ipc_peer {
	struct ipc_server *server; /* NULL once gone */
	struct ipc_peer *next, **self;
	unsigned holds;
	int fd;
	uid_t uid;
	const char *role;
	struct loop_watch *watch;
	struct ipc_queue out;
};

struct ipc_server {
	struct loop *loop;
	int fd;
	char *path;
	struct loop_watch *watch;
	struct loop_timer *idle;
	const struct ipc_server_handler *handler;
	void *ctx;
	struct ipc_peer *peers;
	unsigned peer_count;
};

uid_t ipc_peer_uid(const struct ipc_peer *p)
{
	return p->uid;
}

void ipc_peer_set_role(struct ipc_peer *p, const char *role)
{
	p->role = role;
}

const char *ipc_peer_role(const struct ipc_peer *p)
{
	return p->role;
}

struct ipc_peer *ipc_peer_hold(struct ipc_peer *p)
{
	p->holds++;
	return p;
}

void ipc_peer_release(struct ipc_peer *p)
{
	if (--p->holds == 0)
		free(p);
}

static void peer_gone(struct ipc_peer *p)
{
	struct ipc_server *s = p->server;

	if (!s)
		return;
	p->server = NULL;
	if (s->handler->gone)
		s->handler->gone(s->ctx, p);
	*p->self = p->next;
	if (p->next)
		p->next->self = p->self;
	s->peer_count--;
	loop_watch_free(p->watch);
	ipc_queue_clear(&p->out);
	close(p->fd);
	ipc_peer_release(p);
}

void ipc_reply(struct ipc_peer *p, json_t *message)
{
	struct err err;
	size_t len;
	char *text;

	if (!p->server) {
		json_decref(message);
		return;
	}
	text = ipc_record_text(message, &len, &err);
	if (!text || p->out.bytes + len > IPC_QUEUE_MAX) {
		free(text);
		peer_gone(p);
		return;
	}
	ipc_queue_add(&p->out, text, len);
	switch (ipc_queue_flush(&p->out, p->fd)) {
	case 0:
		loop_watch_set(p->watch, LOOP_READ | LOOP_WRITE);
		break;
	case -1:
		peer_gone(p);
		break;
	default:
		loop_watch_set(p->watch, LOOP_READ);
	}
}

static void peer_read(struct ipc_peer *p)
{
	for (int i = 0; i < RECORDS_PER_EVENT && p->server; i++) {
		json_t *message;
		struct err err;

		switch (ipc_record_receive(p->fd, &message, &err)) {
		case IPC_AGAIN:
			return;
		case IPC_CLOSED:
			peer_gone(p);
			return;
		case IPC_BAD:
			ipc_reply(p, json_pack("{s:b,s:s,s:s}", "ok", 0, "reason", "syntax",
					     "error", err.text));
			break;
		case IPC_RECORD:
			p->server->handler->request(p->server->ctx, p, message);
			json_decref(message);
		}
	}
}

static void peer_ready(void *ctx, int fd, unsigned events)
{
	struct ipc_peer *p = ipc_peer_hold(ctx);
	struct ipc_server *s = p->server;

	(void)fd;
	if (events & LOOP_WRITE) {
		int rc = ipc_queue_flush(&p->out, p->fd);
		if (rc < 0)
			peer_gone(p);
		else if (rc > 0)
			loop_watch_set(p->watch, LOOP_READ);
	}
	if (events & LOOP_READ && p->server) {
		peer_read(p);
		/* Fires after the events of other peers that are ready now: one group of requests. */
		if (s->handler->idle)
			loop_timer_set(s->idle, 0);
	}
	ipc_peer_release(p);
}

static void accept_peer(void *ctx, int listener, unsigned events)
{
	struct ipc_server *s = ctx;
	int size = 1 << 20, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred;
	socklen_t len = sizeof cred;
	struct ipc_peer *p;

	(void)events;
	if (fd < 0)
		return;
	if (s->peer_count >= PEERS_MAX
		|| getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	p = mem_new(1, sizeof *p);
	*p = (struct ipc_peer){.server = s,
		.next = s->peers,
		.self = &s->peers,
		.holds = 1,
		.fd = fd,
		.uid = cred.uid};
	if (p->next)
		p->next->self = &p->next;
	s->peers = p;
	s->peer_count++;
	p->watch = loop_watch_new(s->loop, fd, LOOP_READ, peer_ready, p);
}

static void all_read(void *ctx)
{
	struct ipc_server *s = ctx;

	s->handler->idle(s->ctx);
}

/* The socket has its mode from the beginning: nobody can put another file in its place before a chmod(). */
static bool bind_with_mode(int fd, const struct sockaddr_un *un, mode_t mode)
{
	mode_t mask = umask(0);
	bool ok = fchmod(fd, mode) == 0 && bind(fd, (const struct sockaddr *)un, sizeof *un) == 0;

	umask(mask);
	return ok;
}

struct ipc_server *ipc_server_new(struct loop *l, const char *path, mode_t mode,
	const struct ipc_server_handler *handler, void *ctx, struct err *err)
{
	struct sockaddr_un un;
	struct ipc_server *s;
	int fd;

	if (!ipc_record_address(path, err, &un))
		return NULL;
	fd = ipc_record_socket(path, NULL);
	if (fd >= 0) {
		close(fd);
		err_set(err, ERR_REFUSED, "another process already serves %s", path);
		return NULL;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !bind_with_mode(fd, &un, mode) || listen(fd, 128) != 0) {
		err_errno(err, "cannot serve %s", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s = mem_new(1, sizeof *s);
	*s = (struct ipc_server){
		.loop = l, .fd = fd, .path = mem_str(path), .handler = handler, .ctx = ctx};
	s->watch = loop_watch_new(l, fd, LOOP_READ, accept_peer, s);
	s->idle = loop_timer_new(l, all_read, s);
	return s;
}

struct ipc_server *ipc_server_free(struct ipc_server *s)
{
	if (!s)
		return NULL;
	while (s->peers)
		peer_gone(s->peers);
	loop_watch_free(s->watch);
	loop_timer_free(s->idle);
	close(s->fd);
	free(s->path);
	free(s);
	return NULL;
}
