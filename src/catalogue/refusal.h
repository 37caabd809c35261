/* refusal.h - what a reply or an error mail says about lists: which one, whose, which of our addresses
 * or domains it means, and where to read more. */
#pragma once

#include "base/domain.h"
#include "base/ip.h"
#include "catalogue/signatures.h"
#include "mail/dsn.h"

enum refusal_verdict {
	REFUSAL_LISTED,		/* a public list, or a filter maker's */
	REFUSAL_REPUTATION,	/* a big receiver's own opinion */
	REFUSAL_LOCAL,		/* the receiver's own list */
	REFUSAL_DEAD_LIST,	/* the receiver asks a list that is closed */
	REFUSAL_RECEIVER_ERROR, /* the receiver asks wrongly; nobody is listed */
	REFUSAL_DNS,		/* from here on no list */
	REFUSAL_AUTH,
	REFUSAL_RATE,
	REFUSAL_CONTENT,
};

struct refusal {
	enum refusal_verdict verdict;
	const struct signature *signature; /* NULL: a list that the table does not know */
	struct slice list;		   /* its name; the zone when nothing better is known */
	struct slice zone;		   /* where told; without any key */
	struct ip ip;			   /* of ours, that is meant; family 0: not told */
	struct domain domain;		   /* of ours, that is meant; len 0: not told */
	struct slice url;		   /* from the reply itself; without any key */
	struct slice reply;		   /* on one line, without any key */
	struct slice recipient;
	struct slice code;   /* "550" */
	struct slice status; /* "5.7.1" */
};

#define REFUSAL_MAX 32

struct refusals {
	struct refusal items[REFUSAL_MAX];
	size_t count;
	bool is_mail;	/* false: a bare reply */
	bool is_bounce; /* a delivery report or something that looks like one */
};

const char *refusal_verdict_name(enum refusal_verdict v);
bool refusal_is_about_list(enum refusal_verdict v);

/* Reads an error mail, or bare reply lines as a mail server's log has them. What it finds lives in the
 * arena and the table. False only when the arena is full. */
bool refusals_read(
	const struct signatures *s, struct slice input, struct arena *a, struct refusals *ret);
/* A URL of the table with %IP% and %DOMAIN% filled in; empty when it needs what is not known. */
void refusal_url(struct slice template, const struct refusal *r, struct buf *out);
