/* content_names.h - inside of a zone's contents: domain names. Names are relative to the place. */
#pragma once

#include "dnsd/content/content_private.h"

struct name_set { /* of hashes of names */
	uint64_t *items;
	size_t size, count;
};

/* False: it is there already. The seed makes collisions nobody's choice. */
bool name_set_add(struct name_set *s, const struct domain *name, const uint8_t seed[16]);

/* "test" or "invalid", where a list of ours answers. */
bool name_is_point(const struct content_place *p, const struct domain *name);
/* A set of the place has an entry for this very name, excluded or not, of any scope. */
bool name_is_entry(
	const struct content *c, const struct content_place *p, const struct domain *name);
/* The same of one index; ix may lack the overlay of `served`, which the place's parts name. */
bool index_has_name(const struct content_place *p, const struct index *served,
	const struct index *ix, const struct domain *name);
/* The set's names are asked at the place. */
bool names_are_here(const struct content_place *p, const struct index *ix, size_t set);
/* Something above the name is listed below itself, so that a wildcard would answer for it. */
bool name_is_covered(const struct content_place *p, const struct domain *name);
unsigned name_covered_from(
	const struct content *c, const struct content_place *p, const struct domain *name);
/* The records of a name that exists, as an entry or on the way to one, and of the wildcard below it. */
void name_put(const struct content_place *p, const struct domain *name, struct buf *to);
