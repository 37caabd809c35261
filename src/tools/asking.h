/* asking.h - what the subcommands that ask a daemon have in common. */
#pragma once

#include "base/slice.h"
#include "config/config.h"

#include <jansson.h>

/* NULL after telling the faults on stderr. */
struct config *config_or_tell(const char *path);
/* Of a reply; "" or 0 where there is no such thing. */
struct slice reply_text(const json_t *o, const char *name);
int64_t reply_number(const json_t *o, const char *name);
