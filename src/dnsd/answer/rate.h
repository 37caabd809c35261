/* rate.h - response rate limiting: how many answers of one kind a network gets in a second, so that forged
 * questions cannot make us flood whoever they name. A table of fixed size for one thread; what does not
 * fit takes the place of what was not seen for longest or got least. */
#pragma once

#include "base/ip.h"

struct rate;

enum rate_kind { RATE_LISTED, RATE_NODATA, RATE_NXDOMAIN, RATE_ERROR };
enum rate_verdict {
	RATE_PASS,
	RATE_DROP,
	RATE_SLIP, /* answer truncated: who really asked comes again over TCP */
};

/* limit: answers of each kind in a second to one /24 or /56; every slip-th over it slips, with 0 none. `key`
 * is secret: nobody can aim at places of the table. */
struct rate *rate_new(uint32_t limit, uint32_t slip, const uint8_t key[16]);
struct rate *rate_free(struct rate *r); /* NULL is fine */
enum rate_verdict rate_check(
	struct rate *r, const struct ip *peer, enum rate_kind kind, int64_t now_s);
