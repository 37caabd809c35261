/* watch.h - while somebody watches (`sekisho top`), each thread that answers puts one in so many questions into a
 * ring, and the loop takes them out. While nobody does, all it costs is one look at `every` for each batch of
 * questions. */
#pragma once

#include "dnsd/answer/answer.h"
#include "dnsd/see/stats.h"

#define WATCH_COUNT UINT32_MAX /* of `every`: questions are only counted yet */
#define WATCH_QUERY_MAX (DNS_HEADER_SIZE + DOMAIN_WIRE_MAX + 4)

/* One question in `weight`. */
struct watch_sample {
	uint32_t weight;
	uint32_t
		latency_ns; /* from the kernel's receiving it to the sending of the answers of its batch;
			      * 0: not known */
	struct ip peer;
	enum answer_transport transport;
	uint8_t rcode;
	bool listed, answered;
	uint16_t len;
	uint8_t query[WATCH_QUERY_MAX]; /* header and question, without a label that was a key */
};

struct watch_ring;

/* One thread's. */
struct watch {
	_Alignas(64) _Atomic uint32_t every; /* 0: nobody watches */
	/* the thread's own */
	uint32_t left;
	uint64_t random;
	_Atomic uint64_t passed; /* questions while somebody watched */
	_Atomic uint64_t lost;	 /* samples that found the ring full */
	struct watch_ring *ring; /* there before `every` says so */
};

struct watches;

struct watches *watches_new(size_t threads);
struct watches *watches_free(struct watches *w); /* after the threads; NULL is fine */
struct watch *watches_get(struct watches *w, size_t thread);

/* ---- for threads that answer ---- */

static inline bool watch_on(const struct watch *w)
{
	return atomic_load_explicit(&w->every, memory_order_relaxed) != 0;
}

/* For each question while watch_on(): true when it is this one's turn. */
bool watch_turn(struct watch *w);
/* reply_size 0: there was no answer. The message as it came; latency_ns 0: not known. */
void watch_take(struct watch *w, enum answer_transport transport, const struct ip *peer,
	struct slice message, size_t reply_size, const struct answer_note *note,
	int64_t latency_ns);

/* ---- for the loop ---- */

/* Counting begins at once, sampling with the second watches_adapt(). */
void watches_start(struct watches *w);
void watches_stop(struct watches *w);
/* Every thread gives about WATCH_SAMPLES_S in a second from now on: elapsed_ms since the last call. */
void watches_adapt(struct watches *w, int64_t elapsed_ms);
/* Shows fn what is in the rings, and empties them. */
void watches_drain(
	struct watches *w, void (*fn)(void *ctx, const struct watch_sample *s), void *ctx);
uint64_t watches_lost(const struct watches *w);
uint32_t watches_every(
	const struct watches *w); /* the greatest of all threads; 0: no samples yet */
