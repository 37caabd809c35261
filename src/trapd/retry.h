/* retry.h - mails that were not acknowledged and will be sent again: the second try gets the first one's
 * uid, so that evidence which reached listd after all is counted once. A small ring; the oldest is
 * forgotten, which at worst counts a mail twice. */
#pragma once

#include "base/ip.h"
#include "smtp/session.h"

#include <stdbool.h>

#define RETRY_SLOTS 1024
#define UID_SIZE 33

struct retry_ring {
	struct retry_slot {
		uint64_t fingerprint; /* 0: empty */
		int64_t until_ms;
		char uid[UID_SIZE];
	} slots[RETRY_SLOTS];
	size_t next;
};

/* Who sent what to whom. Never 0. */
uint64_t retry_fingerprint(
	const uint8_t key[16], const struct ip *ip, const struct smtp_mail *mail);
void retry_remember(struct retry_ring *r, uint64_t fingerprint, const char *uid, int64_t now_ms);
/* Takes the uid out of the ring. */
bool retry_recall(
	struct retry_ring *r, uint64_t fingerprint, int64_t now_ms, char ret_uid[UID_SIZE]);
