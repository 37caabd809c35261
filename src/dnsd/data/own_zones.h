/* own_zones.h - zones that this site's configuration makes: those of its lists, response policy zones of them, and
 * the catalog of all that may be transferred. */
#pragma once

#include "config/config.h"
#include "dnsd/answer/served.h"
#include "dnsd/data/site.h"

struct own_zones;

/* The configuration must outlive it. */
struct own_zones *own_zones_new(const struct config *config);
struct own_zones *own_zones_free(
	struct own_zones *o); /* NULL is fine; nothing served from it may be left */

/* Adds the lists' zones and the policy zones. site: NULL when there are no lists. */
void own_zones_serve(const struct own_zones *o, struct served *to, const struct site *site);
/* Adds the catalog zone, once all others are there: a new serial when they are not the same as last time. */
void own_zones_catalog(struct own_zones *o, struct served *to, int64_t now_s);
