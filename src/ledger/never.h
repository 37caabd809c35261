/* never.h - what is never listed, whatever the evidence says: special-purpose space, what the
 * configuration protects, public suffixes, names set aside by RFC 2606 and 6761, far too wide prefixes. */
#pragma once

#include "config/config.h"
#include "ledger/reason.h"
#include "ledger/subject.h"

struct never;

/* config is borrowed. Reads the system's public suffix list where there is one, so call it before the
 * sandbox; else the one built into libpsl. A fault in never_domains is a fault of the configuration. */
struct never *never_open(const struct config_listd *config, struct err *err);
struct never *never_free(struct never *n);
/* Changes when what the configuration protects changes. */
int64_t never_fingerprint(const struct never *n);
/* False, and why, when s must not be listed. */
bool never_allows(const struct never *n, const struct subject *s, struct reason *ret_why);
/* The same as an error, for whoever asked to list it. Returns false. */
bool never_error(const struct reason *why, struct err *err);
