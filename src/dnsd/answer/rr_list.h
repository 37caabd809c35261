/* rr_list.h - resource records as bytes in a buffer: what a zone's contents come out as, what its changes
 * are kept as. A record: owner's length u8 and wire form, type u16, TTL u32, length u16 and rdata. Equal
 * records are equal bytes, and records of one owner sort together. */
#pragma once

#include "base/buf.h"
#include "dns/wire.h"
#include "index/meta.h"

struct rr {
	struct domain owner;
	uint16_t type;
	uint32_t ttl;
	struct slice rdata; /* points into the buffer */
};

void rr_put(struct buf *to, const struct domain *owner, uint16_t type, uint32_t ttl,
	struct slice rdata);
void rr_put_soa(
	struct buf *to, const struct domain *zone, const struct set_soa *soa, uint32_t serial);
/* Cuts the first record off *rest; false when it is empty. The bytes are rr_put()'s. */
bool rr_next(struct slice *rest, struct rr *ret);
/* What is in `before` alone and what is in `after` alone, each record once. */
void rr_differences(
	struct slice before, struct slice after, struct buf *removed, struct buf *added);
/* The sum of many such differences: what was removed as often as it was added is in neither. */
void rr_net(
	struct slice removed, struct slice added, struct buf *net_removed, struct buf *net_added);
