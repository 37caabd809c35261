/* ledger.h - the list's book: joins policy, never-lists and store. Every call that changes something
 * belongs into a group (store_begin/store_commit) and is whole or leaves nothing (ledger.c wraps it). */
#pragma once

#include "config/config.h"
#include "ledger/never.h"
#include "ledger/store.h"

#define LEDGER_DOMAINS_MAX 64 /* of one piece of evidence */

struct ledger;

struct ledger_list {
	int64_t id;
	const struct config_list *config;
};

/* config and store are borrowed; store must be the writer. Gives each list its number, and takes off
 * what the never-lists of today forbid (an allow-list acts on what stands already, too). */
struct ledger *ledger_open(
	const struct config *config, struct store *store, int64_t now_ms, struct err *err);
struct ledger *ledger_free(struct ledger *l);
struct store *ledger_store(struct ledger *l);
size_t ledger_list_count(const struct ledger *l);
const struct ledger_list *ledger_list_at(const struct ledger *l, size_t i);
const struct ledger_list *ledger_list_find(const struct ledger *l, struct slice name);

/* A listing that a piece of evidence made or renewed. */
struct ledger_made {
	const struct ledger_list *list;
	struct listing listing;
};

struct ledger_evidence_result {
	int64_t id;
	bool known; /* the uid was there already: counted once */
	struct ledger_made made[LEDGER_DOMAINS_MAX];
	size_t made_count;
};

/* e.at_ms in the future counts as now. ip NULL and no domains: it lists nobody, and is kept. */
bool ledger_evidence(struct ledger *l, const struct evidence *e, const struct subject *ip,
	const struct subject *domains, size_t domain_count, const char *who, int64_t now_ms,
	struct ledger_evidence_result *ret, struct err *err);

/* What an operator or a feed adds. code 0, text "", expires_ms 0 (never): the list's own. */
struct ledger_entry {
	const struct ledger_list *list;
	const struct subject *subject;
	uint32_t code;
	const char *text;
	int64_t expires_ms;
	const char *who;
	const char *reason; /* an operator's own words */
	bool imported; /* reason names the feed then, and the caller has saved (store_save): a system error
			* must undo all of the feed's items */
};

/* *ret_new is false when it was listed already in just this way: then nothing changed. */
bool ledger_add(struct ledger *l, const struct ledger_entry *e, int64_t now_ms, struct listing *ret,
	bool *ret_new, struct err *err);
/* By hand; words: the operator's own. *ret_removed false: it was not listed. */
bool ledger_remove(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	const char *who, const char *words, int64_t now_ms, bool *ret_removed, struct err *err);

struct ledger_removal {
	const struct ledger_list *list;
	const struct subject *subject;
	const char *who, *requester, *note, *fcrdns, *language; /* NULL: not given */
};

/* A removal on request, decided by the list's policy; every request is kept. */
bool ledger_request_removal(struct ledger *l, const struct ledger_removal *r, int64_t now_ms,
	struct policy_removal_decision *ret, struct err *err);

/* Looks for the listing of s itself, and of its whole IPv6 prefix when s is an address in it. */
bool ledger_find(struct ledger *l, const struct ledger_list *list, const struct subject *s,
	struct listing *ret, bool *ret_found, struct err *err);
/* Ends at most `limit` listings whose time is over; *ret_count says how many. */
bool ledger_expire(struct ledger *l, int64_t now_ms, int limit, int *ret_count, struct err *err);
