/* classify.h - what kind of mail arrived: spam for all we know, or a machine's answer to a forged
 * sender. Decided from the envelope, the top header block and the MIME structure, never by words of
 * the body: those a spammer would simply add. */
#pragma once

#include "mail/mime.h"

enum mail_class {
	MAIL_SPAM,	  /* nothing says otherwise */
	MAIL_BACKSCATTER, /* a bounce or delivery report */
	MAIL_AUTO_REPLY,  /* vacation and other automatic answers (RFC 3834) */
	MAIL_CHALLENGE,	  /* challenge/response, confirmation of a subscription */
};

/* The names of docs/messages.md: "spam", "backscatter", "auto-reply", "challenge". */
const char *mail_class_name(enum mail_class c);
/* mail_from: the envelope sender without <>; empty is the null sender. *ret_why, when not NULL, gets
 * a few words on what decided. */
enum mail_class mail_classify(
	struct slice mail_from, const struct mime_tree *tree, const char **ret_why);
