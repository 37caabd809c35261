/* internal.h - what serve.c (doors), connection.c (one client) and delivery.c (one mail to listd) share. */
#pragma once

#include "io/ipc.h"
#include "io/socket.h"
#include "io/stream.h"
#include "trapd/observe.h"
#include "trapd/peers.h"
#include "trapd/retry.h"
#include "trapd/trapd.h"

struct connection;
struct delivery;

struct trapd {
	const struct config *config;
	struct observer observer;
	psl_ctx_t *psl;
	struct tls_server *tls;
	struct loop *loop;
	struct ipc_client *listd;
	struct peers *peers;
	struct retry_ring retries;
	struct door {
		struct trapd *trapd;
		int fd;
		bool lmtp; /* a Unix socket: our own mail server delivers */
		struct loop_watch *watch;
	} * doors;
	size_t door_count;
	struct connection *connections;
	size_t connection_count, max_connections;
	size_t held; /* bytes of all sessions */
	struct delivery *deliveries;
	bool stopping;
	struct loop_timer *stop_timer, *door_timer;
};

/* Takes fd over. */
void connection_open(struct trapd *t, int fd, const struct socket_address *peer, bool lmtp);
/* The server stops: says goodbye, unless a mail waits for its answer; that comes first. */
void connection_shutdown(struct connection *c);
void connection_shutdown_all(struct trapd *t);
void connection_abort_all(struct trapd *t);
void connection_answer(struct connection *c, bool accepted, const char *uid);
/* The last connection is gone while stopping. */
void trapd_idle(struct trapd *t);

/* Sends what this mail says to listd until it is acknowledged or its time is over; then calls
 * connection_answer(), later than this call. Needs nothing of mail after the call. */
struct delivery *delivery_start(struct trapd *t, struct connection *c, const struct smtp_mail *mail,
	const struct ip *ip, uint16_t port);
/* The client is gone: nobody to answer. */
void delivery_forget_client(struct delivery *d);
/* At the very end, when no loop runs any more. */
void delivery_free_all(struct trapd *t);
