/* transfer_private.h - inside of transfers: transfer.c (one of them) and transfers.c (zones, changes). */
#pragma once

#include "dnsd/transfer/journal.h"
#include "dnsd/transfer/notify.h"
#include "dnsd/transfer/transfer.h"

struct told { /* which serial the secondaries were told of, or the log why they are not */
	struct domain zone;
	const char *lacks; /* NULL: serial */
	uint32_t serial;
};

struct transfers {
	const struct config_dnsd *config;
	const struct config_list *lists;
	size_t list_count;
	const struct secondaries *secondaries;
	_Atomic(struct served *) *served;
	struct tcp_transfers tcp;
	struct site_watcher watcher;
	_Atomic size_t running;
	size_t limit;
	struct notify *notify;
	struct journal **journals; /* one for each zone of lists: made at start, never fewer */
	size_t journal_count;
	const struct index *index; /* the site's */
	struct told *told;	   /* zones of files */
	size_t told_count;
	pthread_mutex_t seen_lock;
	struct transfer_seen *seen;
	size_t seen_count;
	bool told_lists; /* at the start; later by what changes */
};

void transfers_tcp_init(struct tcp_transfers *tcp, struct transfers *t);
void transfers_note(struct transfers *t, const struct transfer_seen *seen);
/* NULL: the zone has none. */
struct journal *transfers_journal(struct transfers *t, const struct domain *zone);
