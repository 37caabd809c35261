/* traps.h - which addresses are traps, and of which kind: the configuration's `domains` and its sections
 * `trap`, made ready for look-ups. Built once; then only read. */
#pragma once

#include "base/domain.h"
#include "config/config.h"
#include "smtp/path.h"

struct traps;

/* What makes one kind of trap; lives as long as the traps and the configuration. */
struct trap_rule {
	const char *name; /* of the section; "" for `domains` and for a trap of any recipient */
	enum trap_type type;
	unsigned weight; /* percent of a hit's weight */
	const char *group;
};

/* key: hashes what strangers choose. NULL with words in err: an address or a domain that stands twice. */
struct traps *traps_new(const struct config_trapd *config, const uint8_t key[16], struct err *err);
struct traps *traps_free(struct traps *t);
/* NULL: no trap. An address goes before a pattern, a pattern before a domain; of patterns the first
 * that fits. With nothing configured every address is a trap. */
const struct trap_rule *traps_find(const struct traps *t, const struct smtp_path *to);
/* A domain that has traps: its other addresses are unknown users and not somebody else's business. */
bool traps_have_domain(const struct traps *t, struct slice text);
/* Whether d lies at, under or above a domain that has traps: such a name would tell it. */
bool traps_are_near(const struct traps *t, const struct domain *d);
/* The domains that have traps, as text; NULL from the end on. */
const char *traps_domain(const struct traps *t, size_t i);
