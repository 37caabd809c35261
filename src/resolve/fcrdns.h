/* fcrdns.h - forward-confirmed reverse DNS: the address has a name (PTR), and the name leads back to
 * the address (A, AAAA). The proof that who controls the address also controls the name. */
#pragma once

#include "resolve/resolve.h"

enum fcrdns_status {
	FCRDNS_OK,
	FCRDNS_NO_PTR,	 /* the address has no name */
	FCRDNS_NO_MATCH, /* it has names, and none of them leads back to it */
	FCRDNS_UNKNOWN,	 /* the DNS did not answer: not shown and not refuted; try again later */
};

/* The steps that a page can show, one by one. */
#define FCRDNS_NAMES_MAX 10	/* names of one address that are looked at */
#define FCRDNS_ADDRESSES_MAX 20 /* addresses of one name that are looked at */

struct fcrdns_result {
	enum fcrdns_status status;
	struct domain
		name; /* OK: the verified host name. NO_MATCH, UNKNOWN: the first name, if any */
	size_t name_count; /* names the PTR gave */
	char why[256];	   /* one sentence in English, safe to print */
};

struct fcrdns;
/* Called once from the loop, never from inside fcrdns_start(). */
typedef void fcrdns_fn(void *ctx, const struct fcrdns_result *result);

/* timeout_ms is for all questions together. */
struct fcrdns *fcrdns_start(
	struct upstream *u, const struct ip *ip, int64_t timeout_ms, fcrdns_fn *fn, void *ctx);
/* fn will not be called. NULL is fine; returns NULL. */
struct fcrdns *fcrdns_cancel(struct fcrdns *f);

/* "4.3.2.1.in-addr.arpa", or 32 nibbles under ip6.arpa. */
bool fcrdns_reverse_name(const struct ip *ip, struct domain *ret);
