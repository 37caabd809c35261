/* primaries.h - the zones that are transferred from other servers. */
#pragma once

#include "config/config.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/notified.h"
#include "dnsd/copy/refresh.h"
#include "dnsd/answer/secondaries.h"
#include "dnsd/answer/served.h"

struct primaries;

/* keys: of the configuration, which must outlive it, as they. changed(ctx): primaries_serve() would give
 * something else; not before primaries_start(). Makes the folder of the copies, for `user`. NULL: with words. */
struct primaries *primaries_new(struct loop *l, struct grace *g, const struct config *config,
	const struct secondaries *keys, struct err *err);
struct primaries *primaries_free(struct primaries *p); /* NULL is fine */

/* For identity.h; NULL: no zone is transferred. */
const struct notified *primaries_notified(const struct primaries *p);
/* Takes the copies that are there, in this thread. */
void primaries_load(struct primaries *p);
void primaries_start(struct primaries *p, loop_fn *changed, void *ctx);
/* Of the configuration's primary in this place. */
struct refresh_state primaries_state(const struct primaries *p, size_t i);
void primaries_serve(const struct primaries *p, struct served *to);
