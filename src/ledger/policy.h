/* policy.h - decides: does this evidence list, renew, or not; may this listing leave on request. Pure:
 * the list's configuration, what is known and the time go in, a decision with its reason comes out.
 *
 * The rules, as the portal publishes them:
 *  - Only evidence of class "spam" counts, by the weight of its kind. A list acts when the weight within
 *    its window, counted from the last removal at the earliest, reaches the threshold and comes from
 *    enough different traps.
 *  - More evidence against an active listing makes it last its lifetime from then on.
 *  - The lifetime doubles at each relisting up to lifetime_max. Who stayed off the list for
 *    lifetime_max after a listing ended starts from the beginning.
 *  - Removal on request wants forward and reverse DNS to match (where the list says so; addresses
 *    only), a quiet time since the last evidence that doubles at each relisting, and not more than
 *    leave_max removals within leave_period. */
#pragma once

#include "config/config.h"
#include "ledger/reason.h"

#include <stdint.h>

enum evidence_kind {
	EVIDENCE_TRAP_HIT = 1,
	EVIDENCE_ABUSE_REPORT,
	EVIDENCE_AUTH_FAILURE,
	EVIDENCE_MANUAL
};
enum evidence_class { CLASS_SPAM = 1, CLASS_BACKSCATTER, CLASS_AUTO_REPLY, CLASS_CHALLENGE };

const char *evidence_kind_word(enum evidence_kind k); /* "trap-hit" ... */
bool evidence_kind_parse(struct slice word, enum evidence_kind *ret);
const char *evidence_class_word(enum evidence_class c); /* "spam" ... */
bool evidence_class_parse(struct slice word, enum evidence_class *ret);

/* What it adds towards a threshold: 0 for everything that is not spam. */
int64_t policy_weight(const struct config_weights *w, enum evidence_kind k, enum evidence_class c);
/* A part of a weight, in percent; never nothing of something. */
int64_t policy_share(int64_t weight, unsigned percent);

/* One subject's past on one list. All zero: never listed. */
struct policy_past {
	bool listed_before; /* there is or was a listing */
	bool active;
	int64_t expires_ms; /* of the active listing; 0: it does not expire */
	int64_t ended_ms;   /* when the latest listing ended, if it is not active */
	int64_t removed_ms; /* when the latest removal was granted or made; 0: never */
	unsigned relist;    /* how many listings came before the latest */
};

/* Countable evidence at or after policy_window_start(). */
struct policy_sum {
	int64_t weight;
	int64_t traps; /* different ones */
};

enum policy_verdict { POLICY_NOTHING, POLICY_LIST, POLICY_RENEW };

struct policy_decision {
	enum policy_verdict verdict;
	int64_t expires_ms; /* POLICY_LIST, POLICY_RENEW */
	unsigned relist;
	struct reason reason; /* for the journal and the listing's cause */
};

int64_t policy_window_start(
	const struct config_list *l, const struct policy_past *past, int64_t now_ms);
/* New countable evidence has come in and is part of sum. */
void policy_judge(const struct config_list *l, const struct policy_past *past,
	const struct policy_sum *sum, int64_t now_ms, struct policy_decision *ret);
/* The relist number a listing made now would get; its lifetime in seconds. */
unsigned policy_relist(const struct config_list *l, const struct policy_past *past, int64_t now_ms);
int64_t policy_lifetime_s(const struct config_list *l, unsigned relist);
/* The quiet time before a removal, in seconds, after so many relistings. */
int64_t policy_quiet_s(const struct config_list *l, unsigned relist);

enum policy_removal {
	REMOVAL_GRANTED,
	REMOVAL_NOT_LISTED,
	REMOVAL_LEAVE_AUTO,
	REMOVAL_LEAVE_NONE,
	REMOVAL_FCRDNS,
	REMOVAL_QUIET,
	REMOVAL_TOO_MANY,
};

struct policy_request {
	bool is_address;	   /* FCrDNS has a meaning */
	bool fcrdns;		   /* forward and reverse DNS were seen to match */
	int64_t last_evidence_ms;  /* 0: none counted */
	int64_t granted;	   /* removals on request within leave_period */
	int64_t oldest_granted_ms; /* of those */
};

struct policy_removal_decision {
	enum policy_removal outcome;
	int64_t until_ms; /* when waiting helps; else 0 */
};

void policy_judge_removal(const struct config_list *l, const struct policy_past *past,
	const struct policy_request *request, int64_t now_ms, struct policy_removal_decision *ret);
/* The stable word of docs/messages.md; "granted" for REMOVAL_GRANTED. */
const char *policy_removal_word(enum policy_removal r);
