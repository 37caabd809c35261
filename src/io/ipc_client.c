/* ipc_client.c - asking a server of ours: in a loop, with reconnection, or once, from a tool. */
#include "base/mem.h"
#include "io/ipc_record.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OPEN_MAX_CALLS 4096
#define RETRY_FIRST_MS 50
#define RETRY_LAST_MS 2000
#define TOOL_WAIT_MS 60000

struct call {
	json_int_t id;
	ipc_reply_fn *fn;
	void *ctx;
};

struct ipc_client {
	struct loop *loop;
	char *path, *role;
	int fd;	    /* -1: not connected */
	bool ready; /* the hello was answered */
	json_int_t next_id;
	int64_t retry_ms;
	struct loop_watch *watch;
	struct loop_timer *retry;
	struct ipc_queue out;
	struct call *calls;
	size_t call_count;
};

static void disconnect(struct ipc_client *c)
{
	struct call *broken = c->calls;
	size_t count = c->call_count;

	if (c->fd >= 0) {
		c->watch = loop_watch_free(c->watch);
		close(c->fd);
	}
	c->fd = -1;
	c->ready = false;
	ipc_queue_clear(&c->out);
	c->calls = NULL;
	c->call_count = 0;
	loop_timer_set(c->retry, c->retry_ms);
	c->retry_ms = MIN(c->retry_ms * 2, RETRY_LAST_MS);
	for (size_t i = 0; i < count; i++)
		broken[i].fn(broken[i].ctx, NULL);
	free(broken);
}

static void answered(struct ipc_client *c, json_t *reply)
{
	json_int_t id = json_integer_value(json_object_get(reply, "id"));

	for (size_t i = 0; i < c->call_count; i++) {
		struct call call = c->calls[i];
		if (call.id != id)
			continue;
		c->calls[i] = c->calls[--c->call_count];
		call.fn(call.ctx, reply);
		return;
	}
}

static void client_ready(void *ctx, int fd, unsigned events)
{
	struct ipc_client *c = ctx;
	json_t *reply;
	struct err err;
	int rc = 1;

	if (events & LOOP_WRITE)
		rc = ipc_queue_flush(&c->out, fd);
	while (rc >= 0 && events & LOOP_READ && c->fd == fd) {
		enum ipc_received got = ipc_record_receive(fd, &reply, &err);
		if (got == IPC_AGAIN)
			break;
		if (got != IPC_RECORD) {
			rc = -1;
			break;
		}
		answered(c, reply);
		json_decref(reply);
	}
	if (c->fd != fd)
		return;
	if (rc < 0)
		disconnect(c);
	else
		loop_watch_set(c->watch, c->out.first ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void hello_answered(void *ctx, json_t *reply)
{
	struct ipc_client *c = ctx;

	if (json_is_true(json_object_get(reply, "ok"))) {
		c->ready = true;
		c->retry_ms = RETRY_FIRST_MS;
	} else if (reply) {
		disconnect(c); /* refused: perhaps listd starts anew with another configuration */
	}
}

static bool send_call(struct ipc_client *c, json_t *message, ipc_reply_fn *fn, void *ctx)
{
	size_t len;
	char *text;

	json_object_set_new(message, "id", json_integer(++c->next_id));
	text = ipc_record_text(message, &len, NULL);
	if (!text)
		return false;
	c->calls = mem_resize(c->calls, (c->call_count + 1) * sizeof *c->calls);
	c->calls[c->call_count++] = (struct call){c->next_id, fn, ctx};
	ipc_queue_add(&c->out, text, len);
	if (ipc_queue_flush(&c->out, c->fd) != 1)
		loop_watch_set(
			c->watch, LOOP_READ | LOOP_WRITE); /* broken ones are seen there, too */
	return true;
}

static void connect_now(void *ctx)
{
	struct ipc_client *c = ctx;

	c->fd = ipc_record_socket(c->path, NULL);
	if (c->fd < 0) {
		disconnect(c);
		return;
	}
	c->watch = loop_watch_new(c->loop, c->fd, LOOP_READ, client_ready, c);
	send_call(c, json_pack("{s:s,s:s}", "type", "hello", "role", c->role), hello_answered, c);
}

struct ipc_client *ipc_client_new(struct loop *l, const char *path, const char *role)
{
	struct ipc_client *c = mem_new(1, sizeof *c);

	*c = (struct ipc_client){.loop = l,
		.path = mem_str(path),
		.role = mem_str(role),
		.fd = -1,
		.retry_ms = RETRY_FIRST_MS};
	c->retry = loop_timer_new(l, connect_now, c);
	loop_timer_set(c->retry, 0);
	return c;
}

struct ipc_client *ipc_client_free(struct ipc_client *c)
{
	if (!c)
		return NULL;
	disconnect(c);
	loop_timer_free(c->retry);
	free(c->path);
	free(c->role);
	free(c);
	return NULL;
}

bool ipc_client_ready(const struct ipc_client *c)
{
	return c->ready;
}

bool ipc_client_call(struct ipc_client *c, json_t *message, ipc_reply_fn *fn, void *ctx)
{
	if (!c->ready || c->call_count >= OPEN_MAX_CALLS || c->out.bytes > IPC_QUEUE_MAX) {
		json_decref(message);
		return false;
	}
	return send_call(c, message, fn, ctx);
}

/* Who serves the socket that fd is connected to. */
static struct ipc_server_name server_of(int fd)
{
	struct sockaddr_un un = {.sun_path = ""};
	socklen_t len = sizeof un;

	if (getpeername(fd, (struct sockaddr *)&un, &len) != 0)
		return ipc_record_server("");
	return ipc_record_server(un.sun_path);
}

static bool wait_for(int fd, short events, struct err *err)
{
	struct pollfd p = {.fd = fd, .events = events};
	int rc;

	do
		rc = poll(&p, 1, TOOL_WAIT_MS);
	while (rc < 0 && errno == EINTR);
	return rc > 0 ? true : err_set(err, ERR_SYSTEM, "%s does not answer", server_of(fd).s);
}

json_t *ipc_ask(int fd, json_t *message, struct err *err)
{
	json_t *reply = NULL;
	size_t len;
	char *text;
	int rc;

	json_object_set_new(message, "id", json_integer(1));
	text = ipc_record_text(message, &len, err);
	if (!text)
		return NULL;
	while ((rc = ipc_record_send(fd, text, len)) == 0 && wait_for(fd, POLLOUT, err))
		;
	free(text);
	if (rc < 0)
		err_set(err, ERR_SYSTEM, "%s closed the connection", server_of(fd).s);
	if (rc <= 0)
		return NULL;
	for (;;) {
		if (!wait_for(fd, POLLIN, err))
			return NULL;
		switch (ipc_record_receive(fd, &reply, err)) {
		case IPC_AGAIN:
			continue;
		case IPC_CLOSED:
			err_set(err, ERR_SYSTEM, "%s closed the connection", server_of(fd).s);
			return NULL;
		case IPC_BAD:
			return NULL;
		case IPC_RECORD:
			break;
		}
		break;
	}
	if (json_is_true(json_object_get(reply, "ok")))
		return reply;
	text = (char *)json_string_value(json_object_get(reply, "error"));
	err_set(err, ERR_REFUSED, "%s", text ? text : "refused, and no word why");
	json_decref(reply);
	return NULL;
}

int ipc_connect(const char *path, const char *role, struct err *err)
{
	int fd = ipc_record_socket(path, err);
	json_t *reply;

	if (fd < 0)
		return -1;
	reply = ipc_ask(fd, json_pack("{s:s,s:s}", "type", "hello", "role", role), err);
	if (!reply) {
		close(fd);
		return -1;
	}
	json_decref(reply);
	return fd;
}
