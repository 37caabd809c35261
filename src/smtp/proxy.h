/* proxy.h - the PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt, 2.2): what a load balancer
 * of our own says about the client before the client's first byte. Binary header only. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

#define PROXY_MAX ((size_t)4096) /* of one header, its TLVs included; they are skipped */

struct proxy_header {
	bool local; /* the balancer speaks for itself (LOCAL), or has no address to tell (UNSPEC) */
	struct ip source, target; /* family 0 when local; IPv4-mapped addresses come out as IPv4 */
	uint16_t source_port, target_port;
	size_t size; /* bytes of the header */
};

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_BAD };

/* PROXY_MORE: the bytes so far may become a header. PROXY_BAD: err says why; close, say nothing. */
enum proxy_result proxy_parse(struct slice in, struct proxy_header *ret, struct err *err);
