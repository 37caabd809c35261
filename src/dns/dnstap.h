/* dnstap.h - the query log's format: one event as a protobuf message of dnstap's schema (dnstap.info), in a
 * frame of Frame Streams, and that protocol's control frames. */
#pragma once

#include "base/buf.h"
#include "base/ip.h"

struct dnstap_event {
	struct slice identity, version; /* of the server; empty: left out */
	struct ip peer;			/* who asks */
	uint16_t port;			/* 0: not known */
	bool tcp;
	int64_t time_ns; /* since 1970 */
	struct slice query;
	struct slice response; /* empty: none was sent; an AUTH_QUERY then, else an AUTH_RESPONSE */
};

/* The longest that dnstap_write() adds for messages of these sizes together. */
#define DNSTAP_FRAME_MAX(messages, identity, version) ((messages) + (identity) + (version) + 128)

void dnstap_write(struct buf *to, const struct dnstap_event *e);

enum dnstap_control {
	DNSTAP_ACCEPT = 1,
	DNSTAP_START = 2,
	DNSTAP_STOP = 3,
	DNSTAP_READY = 4,
	DNSTAP_FINISH = 5,
};
#define DNSTAP_CONTROL_MAX 512

void dnstap_write_control(struct buf *to, enum dnstap_control control);

/* A control frame at the start of `in`. Returns its size; 0: not whole yet; -1: it is none, or an ACCEPT
 * of other content than ours. */
int dnstap_read_control(struct slice in, enum dnstap_control *ret);
