/* dsn.h - what a bounce says: RFC 3464 fields where they are, and the text for all other bounces. */
#pragma once

#include "mail/mime.h"

#define DSN_MAX_RECIPIENTS 100

struct dsn_recipient {
	struct slice original;	 /* address */
	struct slice final;	 /* address */
	struct slice action;	 /* "failed", "delayed", ... */
	struct slice status;	 /* "5.7.1" */
	struct slice remote_mta; /* without "dns;" */
	struct slice diagnostic; /* on one line, without "smtp;" */
};

struct dsn {
	bool is_report;		    /* it has a message/delivery-status part */
	struct slice reporting_mta; /* without "dns;" */
	struct dsn_recipient *recipients;
	size_t recipient_count;
	struct slice text; /* the words for people: the text parts before the carried mail, UTF-8 */
	struct slice
		original_head; /* header block of the mail that came back; empty when not there */
};

/* Everything lives in the arena or the mail. False only when the arena is full. */
bool dsn_parse(const struct mime_tree *tree, struct arena *a, struct dsn *ret);
