/* milter.h - the filter's side of the milter protocol, versions 2 to 6, as sendmail and Postfix speak
 * it: packets in, events and packets out. Pure: no socket, no clock.
 *
 * Commands that nobody judges here are answered by the session itself, or not at all where the MTA
 * agreed not to wait. The caller answers MILTER_RCPT and MILTER_END, one at a time, before it reads
 * on. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"

#define MILTER_PACKET_MAX ((size_t)256 * 1024)
#define MILTER_NAME_MAX 128

enum milter_event {
	MILTER_MORE,	/* the packet is not whole yet */
	MILTER_NOTHING, /* a packet was taken; read on */
	MILTER_CONNECT, /* a client is there: .client, .client_name */
	MILTER_MAIL,	/* a message begins: .authenticated, .sender */
	MILTER_RCPT,	/* wants an answer: .recipient */
	MILTER_END, /* end of message, wants header changes and an answer: .queue_id, .old_headers */
	MILTER_QUIT, /* the MTA is done: close */
	MILTER_BAD,  /* words in err: close */
};

struct milter {
	char header[MILTER_NAME_MAX]; /* its old copies in a message are counted; "" for none */
	bool negotiated, connected;
	uint32_t version, actions, steps; /* agreed on */
	/* what is known of the session and its message; texts are cut at the size of the array */
	struct ip client; /* family 0: no Internet address */
	char client_name[256];
	char sender[256], recipient[256];
	bool authenticated;
	char queue_id[64];
	uint32_t old_headers;
};

/* header: the name of the header that tags, NULL for none. */
void milter_init(struct milter *m, const char *header);
/* Takes the first packet. *ret_used: bytes to drop. Answers go to out. */
enum milter_event milter_read(
	struct milter *m, struct slice bytes, size_t *ret_used, struct buf *out, struct err *err);

/* Answers. */
void milter_continue(struct buf *out);
/* text: "550 5.7.1 words": one line, printable ASCII. */
void milter_reply(struct buf *out, struct slice text);
/* At MILTER_END, before the answer. False when the MTA does not let us. */
bool milter_add_header(struct milter *m, struct buf *out, struct slice name, struct slice value);
/* Takes away the old copies of the header: what the sender wrote is not ours. */
bool milter_delete_old_headers(struct milter *m, struct buf *out);
