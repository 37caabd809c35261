/* limit.h - rate limit and quotas, as one step behind every answer: what is over them gets another reply,
 * or none. For answer.c; workers, TCP and XDP make one for each of their threads. */
#pragma once

#include "config/config.h"
#include "dnsd/answer/answer.h"
#include "dnsd/answer/quota.h"

/* What all threads share. */
struct limits_setup {
	uint32_t rate, slip;	   /* rate 0: none */
	struct quota_limit client; /* of one address, or one key, for everything served */
	bool zones;		   /* some zone has a quota of its own */
	bool tell;		   /* over quota: 127.255.255.255 instead of REFUSED */
	const struct prefixes *unlimited;
	struct quota *quota; /* NULL: none */
	uint8_t key[16];
};

/* The configuration must outlive it. `random`: 16 bytes nobody can guess. */
void limits_setup_init(
	struct limits_setup *setup, const struct config *config, const uint8_t random[16]);
void limits_setup_done(struct limits_setup *setup);

/* Of one thread; NULL when nothing is limited. */
struct limits *limits_new(const struct limits_setup *setup);
struct limits *limits_free(struct limits *l); /* NULL is fine */

/* What stands for a key label in answer_note.who. */
uint64_t limits_key(const struct limits *l, struct slice key);
/* The reply `out` of n bytes to `message`, or what it becomes; returns its size, 0: none. */
size_t limits_apply(struct limits *l, const struct answer_from *from, struct slice message,
	uint8_t *out, size_t n, struct answer_note *note);
