/* limiter.h - how often one address may come: a bucket of tokens for each IPv4 address and IPv6 /64,
 * in a table of fixed size. Pure: the time is an argument. */
#pragma once

#include "base/ip.h"

struct limiter;

/* `burst` at once, then one each `interval_ms`. slots: about how many addresses are told apart at
 * once; when more come, those who came longest ago are forgotten first. */
struct limiter *limiter_new(size_t slots, long burst, int64_t interval_ms, const uint8_t key[16]);
struct limiter *limiter_free(struct limiter *l);
/* Takes one. False when there is none: *ret_wait_ms says when there will be. */
bool limiter_take(
	struct limiter *l, const struct ip *ip, int64_t now_mono_ms, int64_t *ret_wait_ms);
