/* exchange.h - one talk with one primary: its SOA over UDP, or a transfer over TCP. In the loop; takes no
 * message that is not signed where a key is given. */
#pragma once

#include "dns/tsig.h"
#include "dnsd/copy/copy.h"
#include "io/loop.h"
#include "io/socket.h"

struct exchange;

struct exchange_ask {
	const struct socket_address *to;
	const struct tsig_key *key; /* NULL: unsigned */
	const struct domain *zone;
	struct slice our_soa; /* data of it: changes since then are wanted; empty: the whole zone */
	uint32_t our_serial;
	struct copy_changes *changes; /* of a transfer: they go here */
};				      /* all borrowed until the end */

enum exchange_result {
	EXCHANGE_SOA,	  /* the server has `serial` */
	EXCHANGE_TCP,	  /* UDP leads nowhere: ask for the transfer */
	EXCHANGE_CHANGES, /* all of them have come */
	EXCHANGE_SAME,	  /* nothing newer is there */
	EXCHANGE_BAD,	  /* what the server says is of no use: see err */
	EXCHANGE_LOST,	  /* no connection to it, or it does not go on: see err */
};

struct exchange_end {
	enum exchange_result result;
	uint32_t serial;
	struct err err;
};

/* done() is called once, from the loop, never from inside these two; it may free the exchange. */
typedef void exchange_fn(void *ctx, const struct exchange_end *end);
struct exchange *exchange_soa(
	struct loop *l, const struct exchange_ask *ask, exchange_fn *done, void *ctx);
struct exchange *exchange_transfer(
	struct loop *l, const struct exchange_ask *ask, exchange_fn *done, void *ctx);
struct exchange *exchange_free(struct exchange *x); /* also before its end; NULL is fine */
