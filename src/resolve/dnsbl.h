/* dnsbl.h - one question to one DNS list (RFC 5782) and a typed answer, so that no failure and no lie
 * of a list can be taken for a listing. */
#pragma once

#include "resolve/codes.h"
#include "resolve/resolve.h"

enum dnsbl_status {
	DNSBL_CLEAR,	  /* not listed */
	DNSBL_LISTED,	  /* at least one code inside 127.0.0.0/8 that is no error code */
	DNSBL_ERROR_CODE, /* the list says: you asked wrongly or too much (127.255.255.x) */
	DNSBL_LYING,	  /* an answer outside 127.0.0.0/8: no list answers so (RFC 6471, 3.3) */
	DNSBL_REFUSED,
	DNSBL_TIMEOUT,
	DNSBL_FAILED,
	DNSBL_SUSPENDED, /* not asked: its server has been silent lately */
};

/* "listed", "refuses this resolver" ... for people. */
const char *dnsbl_status_text(enum dnsbl_status s);
/* A stable word for programs: "listed", "clear", "error-code", "lying" ... */
const char *dnsbl_status_word(enum dnsbl_status s);

#define DNSBL_CODES_MAX 16
#define DNSBL_TEXT_MAX 512

struct dnsbl_answer {
	enum dnsbl_status status;
	size_t code_count;
	uint32_t codes
		[DNSBL_CODES_MAX]; /* host order, sorted; error codes and lies too, to be shown */
	char text[DNSBL_TEXT_MAX]; /* the TXT, printable ASCII on one line; "" when there is none */
};

/* A and TXT of a name under `zone`. Empty error codes: 127.255.255.0/24 (in force always). */
struct dnsbl_list {
	struct domain zone;
	struct upstream *upstream;
	const struct code_set *error_codes; /* besides 127.255.255.0/24; may be NULL */
	bool without_text;		    /* asks no TXT */
};

struct dnsbl;
/* Called once from the loop, never from inside dnsbl_start(). */
typedef void dnsbl_fn(void *ctx, const struct dnsbl_answer *answer);

/* What is asked for an address (reversed) or for a domain (itself). False when it gets too long. */
bool dnsbl_name_of_ip(const struct ip *ip, const struct domain *zone, struct domain *ret);
bool dnsbl_name_of_domain(const struct domain *d, const struct domain *zone, struct domain *ret);

/* name: from the above. TXT is asked when the A says listed; when the time is over before it comes
 * the listing stands without a text. list is copied; its upstream and error codes must stay. */
struct dnsbl *dnsbl_start(const struct dnsbl_list *list, const struct domain *name,
	int64_t timeout_ms, dnsbl_fn *fn, void *ctx);
/* Before the end: the answer without its text once the A said listed, else NULL. */
const struct dnsbl_answer *dnsbl_so_far(const struct dnsbl *d);
struct dnsbl *dnsbl_cancel(struct dnsbl *d);
