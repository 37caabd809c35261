/* tap.h - the query log: one in so many questions, with its answer, goes to a Unix socket as dnstap
 * (dns/dnstap.h). Each thread that answers puts its samples into a ring of its own, and never waits: what a
 * full ring has no room for is counted and left out. One thread writes them all. */
#pragma once

#include "config/config.h"
#include "dnsd/answer/answer.h"

#include <stdatomic.h>

struct taps;

/* One thread's. */
struct tap {
	uint32_t left; /* questions up to the next sample */
	struct taps *taps;
	struct buf event;
	uint64_t random;
	uint8_t *ring;
	_Alignas(64) _Atomic uint64_t written; /* bytes, ever */
	_Atomic uint64_t lost;		       /* events */
	_Alignas(64) _Atomic uint64_t read;
};

/* NULL: the configuration asks for none. Borrows it. */
struct taps *taps_new(const struct config_dnsd *config, size_t threads);
/* NULL when taps is. */
struct tap *taps_get(struct taps *t, size_t thread);
/* The thread that connects and writes; after rights are given up. */
bool taps_start(struct taps *t, struct err *err);
uint64_t taps_lost(const struct taps *t); /* NULL: 0 */
/* After the threads that answer: what is in the rings is still written, if the reader takes it at once. */
struct taps *taps_free(struct taps *t);

/* What tap_note() does when it is this question's turn. */
void tap_take(struct tap *t, enum answer_transport transport, const struct ip *peer, uint16_t port,
	struct slice query, struct slice response);

/* For each question. t NULL: no query log. port: of the peer, host order. response empty: none was sent. */
static inline void tap_note(struct tap *t, enum answer_transport transport, const struct ip *peer,
	uint16_t port, struct slice query, struct slice response)
{
	if (t && --t->left == 0)
		tap_take(t, transport, peer, port, query, response);
}
