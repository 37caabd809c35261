/* transfers.c - which zones are transferred, what changes in them, and who is told. */
#include "base/mem.h"
#include "dnsd/data.h"
#include "dnsd/transfer_private.h"

#include <stdlib.h>

struct journal *transfers_journal(struct transfers *t, const struct domain *zone)
{
	for (size_t i = 0; i < t->journal_count; i++)
		if (domain_eq(&t->journals[i]->zone, zone))
			return t->journals[i];
	return NULL;
}

static struct journal *journal_of_list(struct transfers *t, struct slice name)
{
	for (size_t i = 0; i < t->list_count; i++)
		if (slice_eq(slice_str(t->lists[i].name), name))
			return transfers_journal(t, &t->lists[i].zone_name);
	return NULL;
}

static void before(void *ctx, const struct change *c)
{
	struct journal *j = journal_of_list(ctx, c->set);

	if (j)
		journal_before(j, c);
}

static void after(void *ctx, const struct index *ix, size_t set, const struct change *c)
{
	struct journal *j = journal_of_list(ctx, c->set);

	if (j)
		journal_after(j, ix, set, c);
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
	t->journals = mem_new(config->list_count + 1, sizeof(struct journal *));
	for (size_t i = 0; secondaries->count && i < config->list_count; i++) {
		const struct domain *zone = &config->lists[i].zone_name;
		if (!transfers_journal(t, zone) && !has_files(&config->dnsd, zone))
			t->journals[t->journal_count++] =
				journal_new(zone, (size_t)config->dnsd.ixfr_memory);
	}
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

static void tell(struct transfers *t, const struct served_zone *z)
{
	struct told *told = NULL;

	if (!z || !content_is_whole(z))
		return;
	for (size_t i = 0; i < t->told_count && !told; i++)
		if (domain_eq(&t->told[i].zone, &z->name))
			told = &t->told[i];
	if (told && told->serial == served_serial(z))
		return;
	if (!told) {
		t->told = mem_resize(t->told, (t->told_count + 1) * sizeof *t->told);
		told = &t->told[t->told_count++];
		told->zone = z->name;
	}
	told->serial = served_serial(z);
	notify_zone(t->notify, &z->name, &z->soa, told->serial);
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
	for (size_t i = 0; i < t->config->zone_count; i++) {
		const struct domain *zone = &t->config->zones[i].zone_name;
		tell(t, served_find_exact(s, zone->wire, zone->len));
	}
	for (size_t i = 0; i < t->config->primary_count; i++) {
		const struct domain *zone = &t->config->primaries[i].zone_name;
		tell(t, served_find_exact(s, zone->wire, zone->len));
	}
	for (size_t i = 0; i < t->list_count && !t->told_lists && ix; i++)
		tell(t, served_find_exact(
				s, t->lists[i].zone_name.wire, t->lists[i].zone_name.len));
	t->told_lists = t->told_lists || ix;
}
