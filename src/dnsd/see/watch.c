/* watch.c - one in so many questions, from the threads that answer to the loop. */
#include "dnsd/see/watch.h"

#include "base/attr.h"
#include "base/mem.h"
#include "io/random.h"

#include <stdlib.h>

#define RING_SAMPLES 1024 /* a power of two: at full speed for as long as the loop may be away */
#define SAMPLES_S 2000	  /* of one thread in a second */
#define EVERY_MAX (1u << 20)

struct watch_ring {
	_Alignas(64) _Atomic uint32_t written;
	_Alignas(64) _Atomic uint32_t read;
	struct watch_sample samples[RING_SAMPLES];
};

struct watches {
	struct watch *all;
	uint64_t *passed; /* of each at the last watches_adapt() */
	size_t count;
};

/* ---- in the threads ---- */

/* xorshift; evenly from 1 to 2 * every - 1, so that nobody can aim between the samples. */
static uint32_t next_distance(struct watch *w, uint32_t every)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return 1 + (uint32_t)(w->random % (2 * (uint64_t)every - 1));
}

bool watch_turn(struct watch *w)
{
	uint32_t every = atomic_load_explicit(&w->every, memory_order_acquire);

	stats_bump(&w->passed, 1);
	if (every == 0 || every == WATCH_COUNT)
		return false;
	if (w->left > 1 && w->left < 2 * every) {
		w->left--;
		return false;
	}
	w->left = next_distance(w, every);
	return true;
}

/* Header and question alone; a label that was a key is a secret, and left out. */
static size_t copy_question(uint8_t *to, struct slice message, uint8_t key_at)
{
	size_t len = MIN(message.len, WATCH_QUERY_MAX), at, cut;

	memcpy(to, message.ptr, len);
	if (len >= DNS_HEADER_SIZE)
		memset(to + 6, 0, 6); /* no records */
	if (!key_at)
		return len;
	at = DNS_HEADER_SIZE + key_at - 1u;
	if (at >= len || (cut = 1u + to[at]) > len - at)
		return MIN(len, DNS_HEADER_SIZE);
	memmove(to + at, to + at + cut, len - at - cut);
	return len - cut;
}

void watch_take(struct watch *w, enum answer_transport transport, const struct ip *peer,
	struct slice message, size_t reply_size, const struct answer_note *note, int64_t latency_ns)
{
	uint32_t every = atomic_load_explicit(&w->every, memory_order_relaxed);
	struct watch_ring *ring = w->ring;
	uint32_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
	struct watch_sample *s = &ring->samples[at & (RING_SAMPLES - 1)];

	if (every == 0 || every == WATCH_COUNT)
		return;
	if (at - atomic_load_explicit(&ring->read, memory_order_acquire) >= RING_SAMPLES) {
		stats_bump(&w->lost, 1);
		return;
	}
	s->weight = every;
	s->latency_ns = (uint32_t)MAX(MIN(latency_ns, UINT32_MAX), 0);
	s->peer = *peer;
	s->transport = transport;
	s->rcode = note->rcode;
	s->listed = note->listed;
	s->answered = reply_size > 0;
	s->len = (uint16_t)copy_question(s->query, message, note->key_at);
	atomic_store_explicit(&ring->written, at + 1, memory_order_release);
}

/* ---- in the loop ---- */

struct watches *watches_new(size_t threads)
{
	struct watches *w = mem_new(1, sizeof *w);

	w->count = threads;
	w->passed = mem_new(threads + 1, sizeof *w->passed);
	w->all = aligned_alloc(_Alignof(struct watch), (threads + 1) * sizeof *w->all);
	if (!w->all)
		abort();
	memset(w->all, 0, (threads + 1) * sizeof *w->all);
	for (size_t i = 0; i < threads; i++) {
		random_bytes(&w->all[i].random, sizeof w->all[i].random);
		w->all[i].random |= 1;
	}
	return w;
}

struct watches *watches_free(struct watches *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->count; i++)
		free(w->all[i].ring);
	free(w->all);
	free(w->passed);
	free(w);
	return NULL;
}

struct watch *watches_get(struct watches *w, size_t thread)
{
	return &w->all[thread];
}

/* Rings stay once they are there: a thread may be about to use its own. */
void watches_start(struct watches *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct watch *one = &w->all[i];
		if (!one->ring) {
			one->ring = aligned_alloc(_Alignof(struct watch_ring), sizeof *one->ring);
			if (!one->ring)
				abort();
			memset(one->ring, 0, sizeof *one->ring);
		}
		w->passed[i] = atomic_load_explicit(&one->passed, memory_order_relaxed);
		atomic_store_explicit(&one->every, WATCH_COUNT, memory_order_release);
	}
}

void watches_stop(struct watches *w)
{
	for (size_t i = 0; i < w->count; i++)
		atomic_store_explicit(&w->all[i].every, 0, memory_order_relaxed);
}

void watches_adapt(struct watches *w, int64_t elapsed_ms)
{
	for (size_t i = 0; i < w->count; i++) {
		struct watch *one = &w->all[i];
		uint64_t now = atomic_load_explicit(&one->passed, memory_order_relaxed);
		uint64_t rate = (now - w->passed[i]) * 1000 / (uint64_t)MAX(elapsed_ms, 1);
		uint64_t every = MAX(rate / SAMPLES_S, 1);
		w->passed[i] = now;
		atomic_store_explicit(
			&one->every, (uint32_t)MIN(every, EVERY_MAX), memory_order_relaxed);
	}
}

void watches_drain(
	struct watches *w, void (*fn)(void *ctx, const struct watch_sample *s), void *ctx)
{
	for (size_t i = 0; i < w->count; i++) {
		struct watch_ring *ring = w->all[i].ring;
		uint32_t at, end;
		if (!ring)
			continue;
		at = atomic_load_explicit(&ring->read, memory_order_relaxed);
		end = atomic_load_explicit(&ring->written, memory_order_acquire);
		for (; at != end; at++)
			fn(ctx, &ring->samples[at & (RING_SAMPLES - 1)]);
		atomic_store_explicit(&ring->read, at, memory_order_release);
	}
}

uint64_t watches_lost(const struct watches *w)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < w->count; i++)
		lost += atomic_load_explicit(&w->all[i].lost, memory_order_relaxed);
	return lost;
}

uint32_t watches_every(const struct watches *w)
{
	uint32_t most = 0;

	for (size_t i = 0; i < w->count; i++) {
		uint32_t every = atomic_load_explicit(&w->all[i].every, memory_order_relaxed);
		most = MAX(most, every == WATCH_COUNT ? 0 : every);
	}
	return most;
}
