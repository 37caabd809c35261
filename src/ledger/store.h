/* store.h - what listd keeps: evidence, listings, the journal, changes, removal requests, in one SQLite
 * file or a PostgreSQL database. Rows in, rows out; what they mean is decided in ledger.c.
 *
 * One writer, one thread. Changes are grouped: store_begin() at the first of a group, store_commit()
 * at its end; only then is anything durable and may be acknowledged. Within the group each request
 * is wrapped in store_save()/store_release() or store_undo(), so one that fails leaves nothing. A
 * function that returns false has said why in err; after a fault of the disk the whole group is lost
 * and store_broken() is true until the next store_begin(). Times are milliseconds since 1970. */
#pragma once

#include "ledger/policy.h"
#include "ledger/subject.h"

#define STORE_SAMPLE_MAX 16384
#define STORE_TEXT_MAX 1000

struct store;

/* path: a file, ":memory:" for tests, or a URL (db.h). Creates the file or the tables and brings an older schema up to date; a newer one is
 * refused. */
struct store *store_open(const char *path, struct err *err);
/* A second, reading connection that sees one state for its whole life (the snapshot's writer, in its
 * own thread). */
struct store *store_open_reader(const char *path, struct err *err);
struct store *store_close(struct store *s);

bool store_begin(struct store *s, struct err *err);
bool store_in_group(const struct store *s);
bool store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);
bool store_save(struct store *s, struct err *err);
bool store_release(struct store *s, struct err *err);
void store_undo(struct store *s);
bool store_broken(const struct store *s);
void store_forget_fault(struct store *s); /* all of the lost group have been told */

/* The number of a list by its name, made at first use; numbers are never reused. */
bool store_list_id(struct store *s, const char *name, int64_t *ret_id, struct err *err);
/* Active listings, kept as a count, so cheap. */
bool store_active_count(struct store *s, int64_t list, int64_t *ret, struct err *err);
bool store_evidence_count(struct store *s, int64_t *ret, struct err *err);

/* A number kept under a name; *ret stays when there is none. */
bool store_meta_get(struct store *s, const char *key, int64_t *ret, struct err *err);
bool store_meta_put(struct store *s, const char *key, int64_t value, struct err *err);

/* ---- evidence ---- */
struct evidence {
	int64_t id;
	int64_t at_ms;	     /* when it was seen */
	int64_t received_ms; /* when it came here */
	enum evidence_kind kind;
	enum evidence_class class;
	uint16_t port; /* TCP source port of the sender; 0: unknown */
	uint64_t size;
	unsigned share; /* percent of what its kind weighs; kept as the weight of its ties only */
	/* Slices view the caller's memory going in, and the current row coming out. */
	struct slice uid, ip, sensor, trap, helo, mail_from_domain, subject_line, body_hash, sample;
};

/* *ret_new is false, and *ret_id that of the first, when the uid is known already. */
bool store_evidence_add(
	struct store *s, const struct evidence *e, int64_t *ret_id, bool *ret_new, struct err *err);
/* Ties evidence to a subject on a list. */
bool store_evidence_tie(struct store *s, int64_t list, const char *subject,
	const struct evidence *e, int64_t id, int64_t weight, struct err *err);
/* Sums what counts since a time; looks at the newest 1000 at most, which bounds the work that a
 * flood can make. */
bool store_evidence_sum(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	struct policy_sum *ret, struct err *err);
/* The time of the newest that counts; 0: none. */
bool store_evidence_last(
	struct store *s, int64_t list, const char *subject, int64_t *ret_ms, struct err *err);
/* The newest `limit`, newest first. The row is valid during the call. */
bool store_evidence_each(struct store *s, int64_t list, const char *subject, int limit,
	void (*each)(void *ctx, const struct evidence *e), void *ctx, struct err *err);
/* Drops at most `limit` older than a time; *ret_count says how many. */
bool store_evidence_prune(
	struct store *s, int64_t before_ms, int limit, int *ret_count, struct err *err);

/* ---- listings ---- */
enum listing_state { LISTING_ACTIVE = 1, LISTING_EXPIRED, LISTING_REMOVED };
const char *listing_state_word(enum listing_state state);

struct listing {
	int64_t list;
	char subject[SUBJECT_TEXT_MAX];
	enum listing_state state;
	uint32_t code;	    /* 0: the list's */
	char text[256];	    /* TXT; "": the list's */
	int64_t since_ms;   /* of the latest listing */
	int64_t last_ms;    /* of the latest evidence or renewal */
	int64_t expires_ms; /* 0: never */
	int64_t ended_ms;   /* 0: active */
	int64_t removed_ms; /* of the latest removal; 0: none */
	unsigned relist;    /* how many times before */
	unsigned removals;
	struct reason cause; /* of the latest listing: the rule, by hand, or a feed */
};

/* *ret_found false: never listed. */
bool store_listing_get(struct store *s, int64_t list, const char *subject, struct listing *ret,
	bool *ret_found, struct err *err);
bool store_listing_put(struct store *s, const struct listing *l, struct err *err);
/* Active listings of one list in the order of their subjects' text, after `after` ("" from the start). */
bool store_listing_each(struct store *s, int64_t list, const char *after, int limit,
	bool (*each)(void *ctx, const struct listing *l), void *ctx, struct err *err);
/* At most `limit` active listings whose time is over. Fills ret[0..*ret_count). */
bool store_listing_due(struct store *s, int64_t now_ms, struct listing *ret, int limit,
	int *ret_count, struct err *err);

/* ---- journal: append-only, also for us (triggers refuse) ---- */
enum journal_action {
	JOURNAL_LISTED = 1,
	JOURNAL_RENEWED,
	JOURNAL_REMOVED,
	JOURNAL_REFUSED,
	JOURNAL_EXPIRED,
	JOURNAL_IMPORTED,
};
const char *journal_action_word(enum journal_action a);

struct journal_entry {
	int64_t number, at_ms;
	enum journal_action action;
	int64_t list;
	struct slice who, list_name, subject;
	struct reason reason;
};

bool store_journal_add(struct store *s, int64_t at_ms, const char *who, enum journal_action action,
	int64_t list, const char *subject, const struct reason *reason, struct err *err);
/* Newest first, numbers below `before` (0: from the newest); subject NULL: all. */
bool store_journal_each(struct store *s, const char *subject, int64_t before, int limit,
	void (*each)(void *ctx, const struct journal_entry *e), void *ctx, struct err *err);
/* When this was last written about this subject on this list; 0: never. */
bool store_journal_last(struct store *s, int64_t list, const char *subject,
	enum journal_action action, int64_t *ret_at_ms, struct err *err);

/* ---- changes: what dnsd must learn, in the order of their serials ---- */
enum store_op { STORE_OP_PUT = 1, STORE_OP_REMOVE };

struct store_change {
	int64_t serial;
	int64_t list;
	enum store_op op;
	uint32_t code;
	int64_t expires_ms;
	struct slice list_name, subject, text;
};

bool store_change_add(struct store *s, enum store_op op, const struct listing *l, struct err *err);
/* The newest serial; the group that is open counts. */
bool store_serial(struct store *s, int64_t *ret, struct err *err);
/* After a store came back from an older copy: serials go on above this one. */
bool store_serial_raise(struct store *s, int64_t serial, struct err *err);
/* In the order of their serials, some thousand at once: call again from the last one on until none
 * comes. */
bool store_change_each(struct store *s, int64_t after_serial,
	bool (*each)(void *ctx, const struct store_change *c), void *ctx, struct err *err);
/* Drops at most `limit` of the changes up to and with a serial. */
bool store_change_prune(struct store *s, int64_t up_to, int limit, struct err *err);
/* The oldest serial still there; 0: none. */
bool store_change_oldest(struct store *s, int64_t *ret, struct err *err);

/* ---- removal requests ---- */
struct removal_request {
	int64_t at_ms;
	const char *requester, *note, *fcrdns, *language; /* NULL: not given */
	bool granted;
	const char *outcome; /* stable word */
};

bool store_removal_add(struct store *s, int64_t list, const char *subject,
	const struct removal_request *r, struct err *err);
/* Granted ones since a time, and the time of the oldest of them. */
bool store_removal_granted(struct store *s, int64_t list, const char *subject, int64_t since_ms,
	int64_t *ret_count, int64_t *ret_oldest_ms, struct err *err);

/* For tests: runs any SQL; false when the store refuses. */
bool store_test_execute(struct store *s, const char *sql);
