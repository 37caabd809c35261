/* rules.h - allow and deny of the configuration, as rules that answer() asks (access.h). */
#pragma once

#include "config/config.h"
#include "dnsd/answer/served.h"

struct rules;

/* Does not keep the configuration, but must be given the same again. */
struct rules *rules_new(const struct config *c);
struct rules *rules_free(struct rules *r); /* what was served from it must be gone; NULL is fine */
void rules_serve(const struct rules *r, const struct config *c, struct served *to);
