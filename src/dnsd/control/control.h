/* control.h - dnsd's Unix socket, where `sekisho dns status` and `sekisho top` ask: records as of listd's
 * (docs/messages.md), answered in the loop. */
#pragma once

#include "dnsd/control/top.h"
#include "io/loop.h"

struct control;

/* Listens at once, so that rights may be given up after. Report and watches must outlive it. NULL with words in err:
 * nobody can ask then, and all else goes on. */
struct control *control_new(
	struct loop *l, const struct report *r, struct watches *w, struct err *err);
struct control *control_free(struct control *c); /* NULL is fine */
