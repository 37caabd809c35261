/* door.h - inside gated/: what both doors share. Each session belongs to a connection of a mail server
 * and frees itself when that ends. */
#pragma once

#include "gated/judge.h"
#include "io/stream.h"

#include <sys/queue.h>

struct session;
LIST_HEAD(session_list, session);

struct door_house {
	struct loop *loop;
	const struct config_gated *config;
	struct judge *judge;
	struct session_list sessions;
	size_t session_count;
};

/* What every session begins with. */
struct session {
	LIST_ENTRY(session) link;
	struct door_house *house;
	struct stream *stream;
	struct judgement *judgement;
	void (*free)(struct session *s);
};

/* A new connection of a mail server; takes fd over. */
void milter_door_accept(struct door_house *h, int fd);
void policy_door_accept(struct door_house *h, int fd);

void session_begin(struct session *s, struct door_house *h, void (*free_fn)(struct session *s));
/* Leaves the list, drops its judgement, frees. */
void session_end(struct session *s);

/* One line for each verdict. */
void verdict_log(const char *door, const struct ip *client, const struct verdict *v,
	int64_t took_ms, struct slice helo, struct slice sender, struct slice recipient);
