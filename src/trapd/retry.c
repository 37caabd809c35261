/* retry.c - a ring of unacknowledged mails, and the uids of all. */
#include "trapd/retry.h"
#include "base/siphash.h"

#include <stdio.h>

#define REMEMBER_MS ((int64_t)6 * 3600 * 1000) /* mail servers try again after minutes to hours */
#define DAY_MS ((int64_t)24 * 3600 * 1000)

uint64_t retry_fingerprint(const uint8_t key[16], const struct ip *ip, const struct smtp_mail *mail)
{
	uint64_t parts[3 + 2] = {0}, sum = 0;

	memcpy(parts, ip, MIN(sizeof *ip, sizeof parts[0] * 3));
	parts[3] = siphash(key, mail->mail_from);
	parts[4] = siphash(key, mail->content);
	for (size_t i = 0; i < mail->recipient_count; i++)
		sum += siphash(key, mail->recipients[i].address); /* in any order */
	parts[0] ^= sum;
	sum = siphash(key, slice_of(parts, sizeof parts));
	return sum ? sum : 1;
}

void retry_remember(struct retry_ring *r, uint64_t fingerprint, const char *uid, int64_t now_ms)
{
	struct retry_slot *slot = &r->slots[r->next];

	slot->fingerprint = fingerprint;
	slot->until_ms = now_ms + REMEMBER_MS;
	snprintf(slot->uid, sizeof slot->uid, "%s", uid);
	r->next = (r->next + 1) % RETRY_SLOTS;
}

bool retry_recall(
	struct retry_ring *r, uint64_t fingerprint, int64_t now_ms, char ret_uid[UID_SIZE])
{
	for (size_t i = 0; i < RETRY_SLOTS; i++) {
		struct retry_slot *slot = &r->slots[i];

		if (slot->fingerprint != fingerprint || slot->until_ms < now_ms)
			continue;
		memcpy(ret_uid, slot->uid, UID_SIZE);
		slot->fingerprint = 0;
		return true;
	}
	return false;
}

void retry_uid(struct retry_ring *r, const uint8_t key[16], uint64_t fingerprint, int64_t unix_ms,
	char ret_uid[UID_SIZE])
{
	struct repeat_slot *slot = &r->repeats[fingerprint % REPEAT_SLOTS];
	uint64_t parts[4] = {fingerprint, (uint64_t)(unix_ms / DAY_MS)}, low, high;

	if (slot->fingerprint != fingerprint)
		*slot = (struct repeat_slot){.fingerprint = fingerprint};
	parts[2] = slot->count++;
	low = siphash(key, slice_of(parts, sizeof parts));
	parts[3] = 1;
	high = siphash(key, slice_of(parts, sizeof parts));
	snprintf(ret_uid, UID_SIZE, "%016llx%016llx", (unsigned long long)high,
		(unsigned long long)low);
}
