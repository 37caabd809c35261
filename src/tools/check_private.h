/* check_private.h - inside `sekisho check`: which lists are asked, what about, and what came out. */
#pragma once

#include "config/config.h"
#include "resolve/dnsbl.h"

#define CHECK_LISTS_MAX 1000

struct check_list {
	char *zone;		      /* as it is printed */
	struct dnsbl_list dnsbl;      /* zone, upstream, error codes */
	char *server;		      /* addr:port; NULL: the resolver */
	bool addresses, ip6, domains; /* what it can be asked about */
	bool allow;		      /* who stands on it is well known: no listing */
	struct code_set codes, error_codes;
};

struct check_lists {
	struct check_list *items;
	size_t count;
};

/* One list and one target. */
struct check_result {
	bool asked;
	struct dnsbl_answer answer;
};

struct check_target {
	char *text;
	bool is_ip;
	struct ip ip;
	struct domain domain;
	struct check_result *results; /* one for each list */
};

enum check_outcome {
	CHECK_NOT_ASKED, /* the list does not know such things */
	CHECK_CLEAR,
	CHECK_LISTED,
	CHECK_ALLOWED,	  /* stands on an allow list */
	CHECK_OTHER_CODE, /* an answer that the list's codes do not name */
	CHECK_NO_ANSWER,  /* the list could not be asked: see the answer's status */
};

enum check_outcome check_outcome(const struct check_list *list, const struct check_result *r);

/* "zone" or "zone@addr:port" from the command line or check.lists. config may be NULL; what it says of
 * the same zone (server, codes) holds here too. */
bool check_lists_add(
	struct check_lists *lists, const struct config *config, const char *text, struct err *err);
/* check.lists, else gated's lists, else the site's own lists at its own server. */
bool check_lists_of_config(struct check_lists *lists, const struct config *config, struct err *err);
void check_lists_done(struct check_lists *lists);

void check_print_text(const struct check_lists *lists, const struct check_target *t, bool colour);
/* One JSON object on one line. */
void check_print_json(const struct check_lists *lists, const struct check_target *t);
