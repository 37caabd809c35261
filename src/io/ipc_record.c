/* ipc_record.c - JSON objects as records of a Unix socket. */
#include "io/ipc_record.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ipc_queued {
	struct ipc_queued *next;
	char *text;
	size_t len;
};

enum ipc_received ipc_record_receive(int fd, json_t **ret_message, struct err *err)
{
	static char record[IPC_RECORD_MAX];
	ssize_t n = recv(fd, record, sizeof record, MSG_TRUNC);
	json_error_t fault;
	json_t *message;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? IPC_AGAIN : IPC_CLOSED;
	if (n == 0)
		return IPC_CLOSED;
	if ((size_t)n > sizeof record) {
		err_set(err, ERR_LIMIT, "record of %zd bytes: at most %zu", n, sizeof record);
		return IPC_BAD;
	}
	message = json_loadb(record, (size_t)n, JSON_REJECT_DUPLICATES, &fault);
	if (!json_is_object(message)) {
		json_decref(message);
		err_set(err, ERR_SYNTAX, "record is not one JSON object: %s",
			message ? "other type" : fault.text);
		return IPC_BAD;
	}
	*ret_message = message;
	return IPC_RECORD;
}

int ipc_record_send(int fd, const char *text, size_t len)
{
	ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_EOR);

	if (n >= 0)
		return 1;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

char *ipc_record_text(json_t *message, size_t *ret_len, struct err *err)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	json_decref(message);
	if (!text) {
		err_set(err, ERR_SYNTAX, "message is not JSON (text that is not UTF-8?)");
		return NULL;
	}
	if (len > IPC_RECORD_MAX) {
		err_set(err, ERR_LIMIT, "message of %zu bytes: at most %zu", len, IPC_RECORD_MAX);
		free(text);
		return NULL;
	}
	*ret_len = len;
	return text;
}

bool ipc_record_address(const char *path, struct err *err, void *ret_sockaddr_un)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (!slice_copy(slice_str(path), un.sun_path, sizeof un.sun_path))
		return err_set(err, ERR_LIMIT, "socket path %s is longer than %zu bytes", path,
			sizeof un.sun_path - 1);
	memcpy(ret_sockaddr_un, &un, sizeof un);
	return true;
}

/* "/run/sekisho/listd.sock" is listd's. */
struct ipc_server_name ipc_record_server(const char *path)
{
	struct slice name = slice_str(path);
	struct ipc_server_name n;

	for (size_t at; (at = slice_find(name, '/')) < name.len;)
		name = slice_skip(name, at + 1);
	if (!slice_copy(slice_take(name, slice_find(name, '.')), n.s, sizeof n.s))
		memcpy(n.s, "the server", sizeof "the server");
	return n;
}

int ipc_record_socket(const char *path, struct err *err)
{
	struct sockaddr_un un;
	int size = 1 << 20;
	int fd;

	if (!ipc_record_address(path, err, &un))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
			return fd;
	}
	err_errno(err, "cannot reach %s at %s (is it running? may this user?)",
		ipc_record_server(path).s, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

json_t *ipc_text(struct slice s)
{
	json_t *text = json_stringn(s.ptr ? s.ptr : "", s.len);
	char *copy;

	if (text)
		return text;
	copy = mem_str_len(s.ptr, s.len);
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	text = json_stringn(copy, s.len);
	free(copy);
	return text;
}

static json_t *envelope(const json_t *request, bool ok)
{
	const json_t *id = json_object_get(request, "id");
	json_t *reply = json_object();

	if (json_is_integer(id))
		json_object_set_new(reply, "id", json_integer(json_integer_value(id)));
	json_object_set_new(reply, "ok", json_boolean(ok));
	return reply;
}

json_t *ipc_success(const json_t *request)
{
	return envelope(request, true);
}

json_t *ipc_failure(const json_t *request, const char *reason, const char *words)
{
	json_t *reply = envelope(request, false);

	json_object_set_new(reply, "reason", json_string(reason));
	json_object_set_new(reply, "error", ipc_text(slice_str(words)));
	return reply;
}

void ipc_queue_add(struct ipc_queue *q, char *text, size_t len)
{
	struct ipc_queued *item = mem_new(1, sizeof *item);

	*item = (struct ipc_queued){NULL, text, len};
	if (!q->first)
		q->last = &q->first;
	*q->last = item;
	q->last = &item->next;
	q->bytes += len;
}

static void queue_drop_first(struct ipc_queue *q)
{
	struct ipc_queued *item = q->first;

	q->first = item->next;
	q->bytes -= item->len;
	free(item->text);
	free(item);
}

int ipc_queue_flush(struct ipc_queue *q, int fd)
{
	while (q->first) {
		int rc = ipc_record_send(fd, q->first->text, q->first->len);
		if (rc <= 0)
			return rc;
		queue_drop_first(q);
	}
	return 1;
}

void ipc_queue_clear(struct ipc_queue *q)
{
	while (q->first)
		queue_drop_first(q);
}
