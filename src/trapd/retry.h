/* retry.h - the uid of a mail: the one of its first try when it was not acknowledged and comes again, so
 * that evidence which reached listd after all is counted once.
 *
 * A uid is no chance but follows from who sent what to whom, the day, and how often that came before; so
 * a trap that was killed between listd's answer and its own 250 gives the second try the same uid, though
 * it remembers nothing. What is remembered is bounded; the oldest is forgotten. */
#pragma once

#include "base/ip.h"
#include "smtp/session.h"

#include <stdbool.h>

#define RETRY_SLOTS 1024
#define REPEAT_SLOTS 4096
#define UID_SIZE 33

struct retry_ring {
	struct retry_slot {
		uint64_t fingerprint; /* 0: empty */
		int64_t until_ms;
		char uid[UID_SIZE];
	} slots[RETRY_SLOTS];
	size_t next;
	/* How often a mail came, by its fingerprint; another one in the slot and it begins anew. That at
	 * worst counts the very same mail, sent twice on one day, once. */
	struct repeat_slot {
		uint64_t fingerprint;
		uint32_t count;
	} repeats[REPEAT_SLOTS];
};

/* Who sent what to whom. Never 0. */
uint64_t retry_fingerprint(
	const uint8_t key[16], const struct ip *ip, const struct smtp_mail *mail);
void retry_remember(struct retry_ring *r, uint64_t fingerprint, const char *uid, int64_t now_ms);
/* Takes the uid out of the ring. */
bool retry_recall(
	struct retry_ring *r, uint64_t fingerprint, int64_t now_ms, char ret_uid[UID_SIZE]);
/* The uid of a mail that is not in the ring. Strangers cannot guess it without the key. */
void retry_uid(struct retry_ring *r, const uint8_t key[16], uint64_t fingerprint, int64_t unix_ms,
	char ret_uid[UID_SIZE]);
