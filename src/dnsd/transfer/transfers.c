/* transfers.c - which zones are transferred, what changes in them, and who is told. */
#include "base/log.h"
#include "base/mem.h"
#include "dnsd/data/data.h"
#include "dnsd/transfer/transfer_private.h"

#include <stdlib.h>

#define SEEN_MAX 1024 /* transfers remembered */

struct journal *transfers_journal(struct transfers *t, const struct domain *zone)
{
	for (size_t i = 0; i < t->journal_count; i++)
		if (domain_eq(&t->journals[i]->zone, zone))
			return t->journals[i];
	return NULL;
}

/* The list is published in this zone, by itself or as a policy. */
static bool zone_has_list(const struct transfers *t, const struct domain *zone, struct slice list)
{
	for (size_t i = 0; i < t->list_count; i++)
		if (slice_eq(slice_str(t->lists[i].name), list)
			&& domain_eq(&t->lists[i].zone_name, zone))
			return true;
	for (size_t i = 0; i < t->config->rpz_count; i++) {
		const struct config_rpz *r = &t->config->rpz[i];
		for (size_t k = 0; domain_eq(&r->zone_name, zone) && k < r->lists.count; k++)
			if (slice_eq(slice_str(r->lists.items[k]), list))
				return true;
	}
	return false;
}

static void before(void *ctx, const struct change *c)
{
	struct transfers *t = ctx;

	for (size_t i = 0; i < t->journal_count; i++)
		if (zone_has_list(t, &t->journals[i]->zone, c->set))
			journal_before(t->journals[i], c);
}

static void after(void *ctx, const struct index *ix, size_t set, const struct change *c)
{
	struct transfers *t = ctx;

	for (size_t i = 0; i < t->journal_count; i++)
		if (zone_has_list(t, &t->journals[i]->zone, c->set))
			journal_after(t->journals[i], ix, set, c);
}

static void done(void *ctx, uint64_t serial)
{
	struct transfers *t = ctx;

	for (size_t i = 0; i < t->journal_count; i++) {
		struct journal *j = t->journals[i];
		if (journal_done(j, serial))
			notify_zone(t->notify, &j->zone, &j->soa, (uint32_t)serial);
	}
}

/* Zones of lists alone: of those that files are in, too, files change without a serial. */
static bool has_files(const struct config_dnsd *c, const struct domain *zone)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (domain_eq(&c->zones[i].zone_name, zone))
			return true;
	return false;
}

static void add_journal(struct transfers *t, const struct domain *zone)
{
	if (!transfers_journal(t, zone) && !has_files(t->config, zone))
		t->journals[t->journal_count++] = journal_new(zone, (size_t)t->config->ixfr_memory);
}

static bool somebody_has(const struct secondaries *s, const struct domain *zone)
{
	for (size_t i = 0; i < s->count; i++)
		if (secondary_has_zone(&s->items[i], zone))
			return true;
	return false;
}

/* Signatures are made with the answer: nobody can be given them. */
static void warn_of_signed(const struct config_dnsd *c, const struct secondaries *s)
{
	for (size_t i = 0; i < c->signed_count; i++)
		if (somebody_has(s, &c->signed_zones[i].zone_name))
			log_event(LOG_WARN, "dnsd.dnssec",
				"zone=%s reason=\"secondaries get it unsigned, and must sign it\"",
				domain_text(&c->signed_zones[i].zone_name).s);
}

struct transfers *transfers_new(struct loop *l, const struct config *config,
	const struct secondaries *secondaries, _Atomic(struct served *) *served, struct err *err)
{
	struct transfers *t = mem_new(1, sizeof *t);

	t->config = &config->dnsd;
	t->lists = config->lists;
	t->list_count = config->list_count;
	t->secondaries = secondaries;
	t->served = served;
	t->limit = (size_t)config->dnsd.transfers;
	t->watcher = (struct site_watcher){before, after, done, t};
	transfers_tcp_init(&t->tcp, t);
	pthread_mutex_init(&t->seen_lock, NULL);
	t->journals =
		mem_new(config->list_count + config->dnsd.rpz_count + 1, sizeof(struct journal *));
	for (size_t i = 0; secondaries->count && i < config->list_count; i++)
		add_journal(t, &config->lists[i].zone_name);
	for (size_t i = 0; secondaries->count && i < config->dnsd.rpz_count; i++)
		add_journal(t, &config->dnsd.rpz[i].zone_name);
	warn_of_signed(t->config, secondaries);
	t->notify = notify_new(l, secondaries, config->dnsd.notify_delay * 1000, err);
	return t->notify ? t : transfers_free(t);
}

struct transfers *transfers_free(struct transfers *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->journal_count; i++)
		journal_free(t->journals[i]);
	free(t->journals);
	free(t->told);
	free(t->seen);
	pthread_mutex_destroy(&t->seen_lock);
	notify_free(t->notify);
	free(t);
	return NULL;
}

const struct tcp_transfers *transfers_tcp(struct transfers *t)
{
	return t->secondaries->count ? &t->tcp : NULL;
}

const struct site_watcher *transfers_watcher(struct transfers *t)
{
	return t->journal_count ? &t->watcher : NULL;
}

/* ---- what was transferred ---- */

/* The place of this peer and zone, a new one, or when all are taken the one used longest ago. */
static struct transfer_seen *seen_place(struct transfers *t, const struct transfer_seen *seen)
{
	struct transfer_seen *oldest = t->seen;

	for (size_t i = 0; i < t->seen_count; i++) {
		struct transfer_seen *s = &t->seen[i];
		if (ip_eq(&s->peer, &seen->peer) && domain_eq(&s->zone, &seen->zone))
			return s;
		oldest = s->at_ms < oldest->at_ms ? s : oldest;
	}
	if (t->seen_count == SEEN_MAX) {
		oldest->has_serial = false;
		return oldest;
	}
	t->seen = mem_resize(t->seen, (t->seen_count + 1) * sizeof *t->seen);
	t->seen[t->seen_count] = (struct transfer_seen){.at_ms = 0};
	return &t->seen[t->seen_count++];
}

void transfers_note(struct transfers *t, const struct transfer_seen *seen)
{
	struct transfer_seen *s, before;

	pthread_mutex_lock(&t->seen_lock);
	s = seen_place(t, seen);
	before = *s;
	*s = *seen;
	if (!seen->finished) {
		s->has_serial = before.has_serial;
		s->serial = before.serial;
	}
	pthread_mutex_unlock(&t->seen_lock);
}

struct transfer_seen *transfers_seen(struct transfers *t, size_t *ret_count)
{
	struct transfer_seen *copy;

	pthread_mutex_lock(&t->seen_lock);
	copy = mem_new(t->seen_count + 1, sizeof *copy);
	if (t->seen_count)
		memcpy(copy, t->seen, t->seen_count * sizeof *copy);
	*ret_count = t->seen_count;
	pthread_mutex_unlock(&t->seen_lock);
	return copy;
}

size_t transfers_running(const struct transfers *t)
{
	return atomic_load(&t->running);
}

const struct notify *transfers_notify(const struct transfers *t)
{
	return t->notify;
}

static void tell(struct transfers *t, const struct served *s, const struct domain *zone)
{
	const struct served_zone *z = served_find_exact(s, zone->wire, zone->len);
	struct told *told = NULL;

	const char *lacks;

	if (!z || z->broken) /* the log knows already */
		return;
	lacks = served_lacks(z);
	for (size_t i = 0; i < t->told_count && !told; i++)
		if (domain_eq(&t->told[i].zone, &z->name))
			told = &t->told[i];
	if (told && told->lacks == lacks && (lacks || told->serial == served_serial(z)))
		return;
	if (!told) {
		t->told = mem_resize(t->told, (t->told_count + 1) * sizeof *t->told);
		told = &t->told[t->told_count++];
		told->zone = z->name;
	}
	told->lacks = lacks;
	told->serial = served_serial(z);
	if (!lacks)
		notify_zone(t->notify, &z->name, &z->soa, told->serial);
	else if (somebody_has(t->secondaries, &z->name))
		log_event(LOG_WARN, "dnsd.transfer", "zone=%s done=no reason=\"%s\"",
			domain_text(&z->name).s, lacks);
}

void transfers_serve(struct transfers *t, const struct served *s, const struct index *ix)
{
	if (!t->secondaries->count)
		return;
	for (size_t i = 0; i < t->journal_count && ix != t->index; i++) {
		struct journal *j = t->journals[i];
		const struct served_zone *z = served_find_exact(s, j->zone.wire, j->zone.len);
		if (z)
			journal_serve(j, z, ix, ix ? data_of(ix)->serial : 0);
	}
	t->index = ix;
	for (size_t i = 0; i < t->config->zone_count; i++)
		tell(t, s, &t->config->zones[i].zone_name);
	for (size_t i = 0; i < t->config->primary_count; i++)
		tell(t, s, &t->config->primaries[i].zone_name);
	for (size_t i = 0; i < t->list_count && !t->told_lists && ix; i++)
		tell(t, s, &t->lists[i].zone_name);
	for (size_t i = 0; i < t->config->rpz_count && !t->told_lists && ix; i++)
		tell(t, s, &t->config->rpz[i].zone_name);
	t->told_lists = t->told_lists || ix;
	tell(t, s, &t->config->catalog_name);
}
