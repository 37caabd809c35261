/* crew.h - a few threads that help the one that calls: what base/parallel.h asks for. */
#pragma once

#include "base/parallel.h"

struct crew;

#define CREW_MAX 16

/* One thread for each processor we may use, the caller counted, at most CREW_MAX. Where threads cannot be
 * had, the caller works alone. */
struct crew *crew_new(void);
struct crew *crew_free(struct crew *c); /* NULL is fine; returns NULL */
/* For one thread at a time; valid until crew_free(). */
const struct parallel *crew_parallel(struct crew *c);
