/* policy.h - Postfix's policy delegation protocol (SMTPD_POLICY_README): a request is name=value lines
 * and an empty line; the answer is one action line. Pure: bytes in, bytes out. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define POLICY_REQUEST_MAX ((size_t)16 * 1024) /* bytes of one request */
#define POLICY_ATTRIBUTES_MAX 100

/* The attributes that are read; views of the bytes given. Empty when absent. */
struct policy_request {
	struct slice request, protocol_state, client_address, client_name, helo_name, sender,
		recipient, queue_id, instance, sasl_username;
};

enum policy_status {
	POLICY_MORE, /* the request is not whole yet */
	POLICY_READY,
	POLICY_BAD, /* words in err; nothing behind it can be trusted */
};

/* Reads the first request. *ret_used: bytes it took, its empty line included. */
enum policy_status policy_read(
	struct slice bytes, struct policy_request *ret, size_t *ret_used, struct err *err);

/* "action=..." and the empty line. Bytes that would break the line become '?'. */
void policy_write(struct buf *out, struct slice action);
