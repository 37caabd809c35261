/* session.h - one TCP connection. Questions are read into and answers written from buffers of its thread;
 * only what is left over (half a question, answers that the peer does not take yet) has memory of its
 * own, so an idle session is this struct. For tcp.c. */
#pragma once

#include "dnsd/path/tcp.h"

#define SESSION_IN (2 + DNS_MESSAGE_MAX + 16384)
#define SESSION_FLUSH 16384 /* so many bytes of answers are sent at once */
#define SESSION_OUT (SESSION_FLUSH + 2 + ANSWER_SIZE_TCP)

struct leftover {
	uint32_t len, at;
	uint8_t bytes[];
};

struct session {
	struct session *next, *prev; /* the one that spoke last is first */
	int64_t spoke_ms;
	struct leftover *in, *out; /* NULL: none */
	void *transfer;		   /* NULL: none */
	int fd;
	uint32_t events; /* what epoll waits for */
	struct ip peer;
	uint16_t port; /* of the peer */
	bool ended;    /* the peer says no more; it still gets its answers */
};

/* What the sessions of one thread share. */
struct session_room {
	_Atomic size_t *leftover_bytes; /* of all threads */
	size_t leftover_max;
	const struct tcp_transfers *transfers;
	const struct served *served; /* of this batch of events */
	struct answer_from from;     /* all but the peer */
	struct stats *stats;
	struct tap *tap;
	struct watch *watch;
	struct query_log *log; /* NULL: none */
	uint8_t in[SESSION_IN], out[SESSION_OUT];
};

enum session_step {
	SESSION_QUIET, /* nothing that counts as activity */
	SESSION_SPOKE, /* a whole question was taken, or a part of a transfer left */
	SESSION_OVER,  /* to be closed */
};

/* Reads once, answers, sends; or goes on sending. Sets s->events. */
enum session_step session_step(struct session *s, struct session_room *room, uint32_t happened);
/* Closes the socket and frees what is left over, not s itself. */
void session_done(struct session *s, struct session_room *room);
