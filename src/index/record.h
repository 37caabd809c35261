/* record.h - the text of a value in a SET_RECORDS set: whole DNS records back to back. */
#pragma once

#include "base/buf.h"

struct record {
	uint16_t type;
	uint32_t ttl_s;
	struct slice rdata; /* uncompressed, at most 65535 bytes */
};

void record_add(struct buf *to, const struct record *r);
/* Cuts the next one off *rest. False at the end, and at what is no record. */
bool record_next(struct slice *rest, struct record *ret);
