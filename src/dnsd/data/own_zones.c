/* own_zones.c - zones that this site's configuration makes. */
#include "dnsd/data/own_zones.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "dnsd/content/content.h"
#include "dnsd/answer/rr_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of SOA records. Secondaries ask again every refresh_s. */
#define SOA_REFRESH_S 3600
#define SOA_RETRY_S 600
#define SOA_EXPIRE_S (14 * 86400)
#define NS_TTL_S 86400
#define CATALOG_TTL_S 3600

struct own_zones {
	const struct config *config;
	struct served_list *lists; /* one for each of the configuration */
	struct buf catalog;	   /* its records at the last look ... */
	uint32_t catalog_serial;   /* ... and their serial */
};

struct own_zones *own_zones_new(const struct config *config)
{
	struct own_zones *o = mem_new(1, sizeof *o);

	o->config = config;
	o->catalog = BUF_INIT(SIZE_MAX);
	o->lists = mem_new(config->list_count + 1, sizeof *o->lists);
	for (size_t i = 0; i < config->list_count; i++) {
		const struct config_list *c = &config->lists[i];
		enum set_kind kind = c->kind == LIST_DOMAIN ? SET_NAME : SET_IP;
		o->lists[i] = (struct served_list){.name = slice_str(c->name),
			.kind = kind,
			.code = c->code,
			.text = slice_str(c->text),
			.ttl_s = (uint32_t)c->ttl,
			.meta = meta_plain(kind, SET_FIRST, (uint32_t)c->ttl)};
	}
	return o;
}

struct own_zones *own_zones_free(struct own_zones *o)
{
	if (!o)
		return NULL;
	buf_done(&o->catalog);
	free(o->lists);
	free(o);
	return NULL;
}

static void fill_soa(const struct own_zones *o, struct served_zone *z, long ttl, long negative_ttl)
{
	const struct config_dnsd *c = &o->config->dnsd;

	z->has_soa = true;
	z->soa = (struct set_soa){.ttl_s = (uint32_t)ttl,
		.refresh_s = SOA_REFRESH_S,
		.retry_s = SOA_RETRY_S,
		.expire_s = SOA_EXPIRE_S,
		.minimum_s = (uint32_t)negative_ttl,
		.origin = z->ns_count ? z->ns[0] : z->name};
	if (!domain_parse(slice_str(c->hostmaster), &z->soa.person, NULL))
		z->soa.person = z->name;
}

static void fill_ns(const struct own_zones *o, struct served_zone *z)
{
	const struct config_dnsd *c = &o->config->dnsd;
	struct domain ns;

	z->ns_ttl_s = NS_TTL_S;
	for (size_t i = 0; i < c->nameservers.count && z->ns_count < META_NS_MAX; i++)
		if (domain_parse(slice_str(c->nameservers.items[i]), &ns, NULL))
			z->ns[z->ns_count++] = ns;
}

/* The zone, as one of this list, or of this one, too. */
static void add_list(
	const struct own_zones *o, struct served_zone *z, const struct site *site, size_t i)
{
	const struct config_list *list = &o->config->lists[i];

	if (!z->has_soa) {
		fill_ns(o, z);
		fill_soa(o, z, list->ttl, list->negative_ttl);
		z->serial = site_serial(site);
	}
	z->soa.minimum_s = MIN(z->soa.minimum_s, (uint32_t)list->negative_ttl);
	served_add_list(z, site_index(site), &o->lists[i]);
}

static void add_policy(const struct own_zones *o, struct served *to, const struct site *site,
	const struct config_rpz *c)
{
	struct served_zone *z = served_zone(to, &c->zone_name);

	for (size_t i = 0; i < c->lists.count; i++)
		for (size_t k = 0; k < o->config->list_count; k++)
			if (strcmp(c->lists.items[i], o->config->lists[k].name) == 0)
				add_list(o, z, site, k);
	z->policy = &c->target;
	z->transfer_only = true;
}

void own_zones_serve(const struct own_zones *o, struct served *to, const struct site *site)
{
	for (size_t i = 0; i < o->config->list_count; i++) {
		const struct config_list *list = &o->config->lists[i];
		struct served_zone *z = served_zone(to, &list->zone_name);
		add_list(o, z, site, i);
		served_add_quota(z, list->quota_second, list->quota_day);
	}
	for (size_t i = 0; i < o->config->dnsd.rpz_count; i++)
		add_policy(o, to, site, &o->config->dnsd.rpz[i]);
}

/* ---- the catalog (RFC 9432) ---- */

static bool below(const char *front, const struct domain *zone, struct domain *ret)
{
	struct domain d;

	return domain_parse(slice_str(front), &d, NULL) && domain_join(&d, zone, ret);
}

/* Its label must be its own and stay the same: a hash of its name, by a key that everybody knows, since names of
 * zones are the operator's. */
static void put_member(struct buf *to, const struct domain *catalog, const struct domain *zone)
{
	static const uint8_t key[16] = {0};
	struct domain owner;
	char front[32];

	snprintf(front, sizeof front, "%016" PRIx64 ".zones",
		siphash(key, slice_of(zone->wire, zone->len)));
	if (below(front, catalog, &owner))
		rr_put(to, &owner, DNS_PTR, CATALOG_TTL_S, slice_of(zone->wire, zone->len));
}

/* Zones whose data cannot be read now stay: a secondary would forget what it has of them. */
static void put_members(struct buf *to, const struct served_zone *catalog, struct served *s)
{
	struct domain version;

	if (below("version", &catalog->name, &version))
		rr_put(to, &version, DNS_TXT, CATALOG_TTL_S,
			SLICE("\1"
			      "2"));
	for (size_t i = 0; i < served_zone_count(s); i++) {
		const struct served_zone *z = served_zone_at(s, i);
		if (z != catalog && (z->broken || !served_lacks(z)))
			put_member(to, &catalog->name, &z->name);
	}
}

void own_zones_catalog(struct own_zones *o, struct served *to, int64_t now_s)
{
	static const struct domain invalid = {.len = 9, .labels = 1, .wire = "\7invalid"};
	const struct domain *name = &o->config->dnsd.catalog_name;
	struct served_zone *z;

	if (!name->len)
		return;
	z = served_zone(to, name);
	z->records = BUF_INIT(SIZE_MAX);
	put_members(&z->records, z, to);
	if (!slice_eq(buf_slice(&z->records), buf_slice(&o->catalog))) {
		buf_reset(&o->catalog);
		buf_add_slice(&o->catalog, buf_slice(&z->records));
		o->catalog_serial = MAX(o->catalog_serial + 1, (uint32_t)now_s);
	}
	z->ns[0] = invalid; /* nobody asks for a catalog's names (RFC 9432, 4.1) */
	z->ns_count = 1;
	z->ns_ttl_s = CATALOG_TTL_S;
	fill_soa(o, z, CATALOG_TTL_S, CATALOG_TTL_S);
	z->soa.serial = o->catalog_serial;
	z->transfer_only = true;
}
