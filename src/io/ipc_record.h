/* ipc_record.h - inside of io: one JSON object in, one out, over a SOCK_SEQPACKET socket. */
#pragma once

#include "base/buf.h"
#include "io/ipc.h"

enum ipc_received {
	IPC_RECORD, /* *ret_message is the caller's */
	IPC_BAD,    /* a record that is no JSON object, or too long: err says which */
	IPC_AGAIN,
	IPC_CLOSED,
};

enum ipc_received ipc_record_receive(int fd, json_t **ret_message, struct err *err);
/* 1 sent, 0 would block, -1 broken. */
int ipc_record_send(int fd, const char *text, size_t len);
/* Takes message over; NULL when it does not fit in a record (err says so). free() it. */
char *ipc_record_text(json_t *message, size_t *ret_len, struct err *err);
int ipc_record_socket(const char *path, struct err *err);
struct ipc_server_name {
	char s[32];
};
struct ipc_server_name ipc_record_server(const char *path); /* who serves it, for people */
bool ipc_record_address(const char *path, struct err *err, void *ret_sockaddr_un);

/* Texts waiting for a peer that reads slowly. */
struct ipc_queue {
	struct ipc_queued *first, **last;
	size_t bytes;
};
#define IPC_QUEUE_MAX ((size_t)8 * 1024 * 1024)
void ipc_queue_add(struct ipc_queue *q, char *text, size_t len);
/* 1 all sent, 0 more waits, -1 broken. */
int ipc_queue_flush(struct ipc_queue *q, int fd);
void ipc_queue_clear(struct ipc_queue *q);
