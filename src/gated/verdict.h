/* verdict.h - from what the lists said to what the mail server is told. Pure.
 *
 * The weights of all hits are added up, those of allow lists taken away; the score meets the
 * thresholds of the configuration. Only an answer inside 127.0.0.0/8 that is no error code and that
 * the list's codes name is a hit: silence, failure, refusal and lies count nothing. */
#pragma once

#include "config/config.h"
#include "resolve/dnsbl.h"

#define VERDICT_REPLY_MAX 400 /* bytes, so that with the MTA's own words the line stays under 512 */

enum verdict_action { VERDICT_ACCEPT, VERDICT_TAG, VERDICT_DEFER, VERDICT_REJECT };

const char *verdict_action_text(enum verdict_action a); /* "accept", "tag" ... */

struct verdict_list {
	const struct config_gate_list *config;
	struct code_set codes, error_codes;
};

/* What is known of one list's answer. */
struct verdict_answer {
	bool asked;			   /* false: this list is not for this client */
	bool done;			   /* nothing more is waited for */
	const struct dnsbl_answer *answer; /* NULL while there is none */
};

struct verdict {
	enum verdict_action action;
	long score;
	unsigned asked, hits, silent; /* lists: asked, hit, could not be asked */
	int decisive;		      /* the block list that weighs most; -1: none */
	char lists[200];	      /* the hits, "zone:weight zone:weight", cut at the size */
	char reply[VERDICT_REPLY_MAX + 1]; /* REJECT, DEFER: "550 5.7.1 words", printable ASCII */
	char tag[VERDICT_REPLY_MAX + 1];   /* TAG: value of the header */
};

/* Counts what is there; what is not done yet counts nothing. */
void verdict_judge(const struct config_gated *config, const struct verdict_list *lists,
	const struct verdict_answer *answers, size_t count, const struct ip *client,
	struct verdict *ret);

/* True when nothing that may still come can change the action. */
bool verdict_is_settled(const struct config_gated *config, const struct verdict_list *lists,
	const struct verdict_answer *answers, size_t count);

/* The words of a reply: the template ("$" client, "%t" reason, "%z" zone; "" for the default) with
 * its values, one line of printable ASCII, at most VERDICT_REPLY_MAX bytes behind `code`. A reason
 * that does not fit is cut, but the first URL in it stays whole (or goes, when it alone is longer). */
void verdict_reply(const char *code, const char *template, const char *client, const char *zone,
	const char *reason, char ret[VERDICT_REPLY_MAX + 1]);
