/* notify.h - tells secondaries that a zone has changed (NOTIFY, RFC 1996), again and again until they answer.
 * Changes are collected for a while first. Runs in the loop. */
#pragma once

#include "dnsd/secondaries.h"
#include "index/meta.h"
#include "io/loop.h"

struct notify;

/* A socket for each address, opened now: later nothing can be. */
struct notify *notify_new(
	struct loop *l, const struct secondaries *secondaries, int64_t delay_ms, struct err *err);
struct notify *notify_free(struct notify *n); /* NULL is fine */
/* The zone's SOA is this now. */
void notify_zone(
	struct notify *n, const struct domain *zone, const struct set_soa *soa, uint32_t serial);
