/* steer.h - which of an address's workers gets a question. The one that goes with the processor which
 * received it: then question and answer stay in that processor's caches. Where one processor receives nearly
 * all (a network card with one queue), that would leave the others idle: then the kernel's hash of
 * addresses and ports decides, as it does without us. */
#pragma once

#include "dnsd/path/worker.h"
#include "io/loop.h"

#include <stddef.h>

struct steer;

/* workers: those of one address, in the order in which they were made; borrowed. Works from now on. */
struct steer *steer_new(struct loop *l, struct worker *const workers[], size_t count);
struct steer *steer_free(struct steer *s); /* NULL is fine */

/* Whether one of several workers has so much to do, and so much more than the others, that they should share
 * it: from what each got in a second. */
bool steer_uneven(const uint64_t counts[], size_t count);
