/* view.h - what a page says, as one JSON object: the HTML templates and the JSON answer are both made
 * from it, so they cannot differ. Keys that begin with '_' are for the templates alone (view_json()
 * leaves them out). Pure: the time is an argument. */
#pragma once

#include "config/config.h"
#include "ledger/subject.h"
#include "resolve/fcrdns.h"
#include "webd/language.h"

struct view {
	const struct config *config;
	const struct language *language;
	int64_t now_ms;
	const uint8_t *token_key; /* TOKEN_KEY_BYTES */
};

/* What people paste: an address, also in brackets, a network, a domain, a URL or mail address. */
bool query_parse(struct slice text, struct subject *ret, struct err *err);

/* A copy without the templates' keys. */
json_t *view_json(const json_t *view);
/* A time from a message, cut to 1970..9999. */
int64_t view_clamp_time(int64_t unix_ms);
/* Sets `key` to RFC 3339 and `_key` to words; 0 gives null. */
void view_time(const struct view *v, json_t *to, const char *key, int64_t unix_ms);

/* The policy of one list, all of it; status: listd's reply, or NULL. */
json_t *view_list(const struct view *v, const struct config_list *list, const json_t *status);
json_t *view_lists(const struct view *v, const json_t *status);
/* Words for a kind or class of evidence, or for an action of the journal; the word itself when new. */
json_t *view_word(const struct view *v, const char *word);

/* listd's `cause` or `reason` with its sentence as `words`; null when it is none. `text`, when there, is
 * what a person wrote, and stands behind the words. */
json_t *view_reason(const struct view *v, const json_t *reason);

/* True when one of the listings in listd's reply can only leave with FCrDNS, so that it is worth
 * looking: *ret_ip is the address to look at. */
bool lookup_wants_fcrdns(const struct config *config, const struct subject *asked,
	const json_t *reply, struct ip *ret_ip);
/* fcrdns may be NULL: not looked at. */
json_t *view_lookup(const struct view *v, const struct subject *asked, const json_t *reply,
	const struct fcrdns_result *fcrdns);

/* One condition that stands between a listing and its removal, told as a sentence with its advice. */
json_t *view_fcrdns(const struct view *v, const struct ip *ip, const struct fcrdns_result *fcrdns);

struct removal {
	const struct config_list *list;
	struct subject subject; /* what is listed */
	struct ip address;	/* whose DNS was looked at; family 0: none */
};

/* reply: listd's; NULL when the DNS did not answer and nothing was asked. */
json_t *view_removal(const struct view *v, const struct removal *r, const json_t *reply,
	const struct fcrdns_result *fcrdns);
