/* judge.h - asks the lists about clients: all of them at once when a client appears, and a verdict as
 * soon as what is missing cannot change it, or when the time is over. Both doors share it, and with
 * it one cache of answers. */
#pragma once

#include "gated/verdict.h"
#include "io/loop.h"

struct judge;
struct judgement;

/* The configuration must stay. Reads /etc/resolv.conf when it names no resolver. NULL with words. */
struct judge *judge_new(struct loop *l, const struct config_gated *config, struct err *err);
struct judge *judge_free(struct judge *j); /* after its judgements; NULL is fine; returns NULL */

/* Own networks and what is no Internet address: nobody asks about them. */
bool judge_passes(const struct judge *j, const struct ip *client);

/* Begins to ask. */
struct judgement *judgement_start(struct judge *j, const struct ip *client);
/* Called once from the loop, never from inside judgement_wait(). */
typedef void judgement_fn(void *ctx, const struct verdict *verdict);
/* One waiter at a time. The verdict comes at once when it stands already. */
void judgement_wait(struct judgement *g, judgement_fn *fn, void *ctx);
/* The verdict when it stands, else NULL. */
const struct verdict *judgement_verdict(const struct judgement *g);
int64_t judgement_age_ms(const struct judgement *g);
int64_t judgement_took_ms(const struct judgement *g);
/* The waiter is not called any more. NULL is fine; returns NULL. */
struct judgement *judgement_free(struct judgement *g);
