/* notify.h - tells secondaries that a zone has changed (NOTIFY, RFC 1996), again and again until they answer.
 * Changes are collected for a while first. Runs in the loop. */
#pragma once

#include "dnsd/answer/secondaries.h"
#include "index/meta.h"
#include "io/loop.h"

struct notify;

/* A socket for each address, opened now: later nothing can be. */
struct notify *notify_new(
	struct loop *l, const struct secondaries *secondaries, int64_t delay_ms, struct err *err);
struct notify *notify_free(struct notify *n); /* NULL is fine */
/* What became of the last word about a zone to an address. Times since 1970. */
struct notify_state {
	const char *secondary; /* its name in the configuration */
	const struct socket_address *address;
	const struct domain *zone;
	uint32_t serial;
	int64_t sent_ms;     /* first time of this word; 0: not yet */
	int64_t answered_ms; /* 0: not yet */
	unsigned rcode;	     /* of the answer */
};
size_t notify_state_count(const struct notify *n);
struct notify_state notify_state(const struct notify *n, size_t i);
/* The zone's SOA is this now. */
void notify_zone(
	struct notify *n, const struct domain *zone, const struct set_soa *soa, uint32_t serial);
