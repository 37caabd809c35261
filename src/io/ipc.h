/* ipc.h - messages between our programs: one JSON object a record over a Unix SOCK_SEQPACKET socket.
 * What the messages say stands in docs/messages.md; which users have which role, in config/roles.h. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "io/loop.h"

#include <jansson.h>
#include <sys/types.h>

#define IPC_RECORD_MAX ((size_t)128 * 1024)

/* ---- replies ---- */
/* Text from anywhere: what is not UTF-8 becomes "?". */
json_t *ipc_text(struct slice s);
/* Both carry the request's id; reason is a stable word, words are for people. */
json_t *ipc_success(const json_t *request);
json_t *ipc_failure(const json_t *request, const char *reason, const char *words);

/* ---- server ---- */
struct ipc_server;
struct ipc_peer;

struct ipc_server_handler {
	/* One request. Answer with ipc_reply(), at once or later; message is borrowed. */
	void (*request)(void *ctx, struct ipc_peer *peer, json_t *message);
	void (*gone)(void *ctx, struct ipc_peer *peer);
	/* All records that were waiting on all peers have been given to `request`: the place to commit a
	 * group of them. May be NULL. */
	void (*idle)(void *ctx);
};

struct ipc_server *ipc_server_new(struct loop *l, const char *path, mode_t mode,
	const struct ipc_server_handler *handler, void *ctx, struct err *err);
struct ipc_server *ipc_server_free(struct ipc_server *s);
uid_t ipc_peer_uid(const struct ipc_peer *p); /* SO_PEERCRED */
/* A word the server keeps about the peer (its role); NULL at first. Not owned. */
void ipc_peer_set_role(struct ipc_peer *p, const char *role);
const char *ipc_peer_role(const struct ipc_peer *p);
/* Takes message over. Replies queue up to a limit; a peer that does not read is dropped. */
void ipc_reply(struct ipc_peer *p, json_t *message);
/* A peer may be gone before its answer is ready: hold it while a request is open. */
struct ipc_peer *ipc_peer_hold(struct ipc_peer *p);
void ipc_peer_release(struct ipc_peer *p);

/* ---- client in a loop: reconnects by itself, numbers its requests ---- */
struct ipc_client;
/* reply is NULL when the connection broke before an answer: it is unknown whether the request was
 * carried out. reply is borrowed. */
typedef void ipc_reply_fn(void *ctx, json_t *reply);

struct ipc_client *ipc_client_new(struct loop *l, const char *path, const char *role);
struct ipc_client *ipc_client_free(struct ipc_client *c);
bool ipc_client_ready(const struct ipc_client *c);
/* Takes message over. False (fn not called) when not connected or too many requests are open. */
bool ipc_client_call(struct ipc_client *c, json_t *message, ipc_reply_fn *fn, void *ctx);

/* ---- client for a tool: one question, one answer, waits ---- */
/* Descriptor with the hello exchanged, or -1. */
int ipc_connect(const char *path, const char *role, struct err *err);
/* Takes message over; the caller owns the reply. A reply that says "ok": false becomes an err. */
json_t *ipc_ask(int fd, json_t *message, struct err *err);
