/* session_internal.h - what session.c (bytes, time, events) and command.c (verbs) share. */
#pragma once

#include "base/arena.h"
#include "smtp/data.h"
#include "smtp/session.h"

enum session_state {
	STATE_BANNER, /* nothing said yet */
	STATE_COMMAND,
	STATE_DATA,
	STATE_ANSWER, /* waits for the owner's answer to a mail */
	STATE_TLS,    /* waits for the owner to start TLS */
	STATE_CLOSED,
};

struct smtp_session {
	struct smtp_settings settings;
	enum session_state state;
	int64_t now_ms, deadline_ms, data_deadline_ms;
	struct buf in;	 /* not yet taken */
	size_t in_at;	 /* taken so far of `in`, during one run */
	struct buf *out; /* during one call */
	bool greeted, tls, early_talker;
	char helo[256];
	size_t helo_len;
	bool esmtp;
	/* one mail */
	struct arena *envelope;
	bool has_sender, skip_line;
	struct smtp_path *recipients;
	struct smtp_mail mail;
	struct smtp_data data;
	unsigned errors, junk, mails;
	struct smtp_event event;
};

/* "250 2.1.0 text"; enhanced: "2.1.0", or "" for the replies that have none. Counts 4xx and 5xx. */
void smtp_reply(struct smtp_session *s, unsigned code, const char *enhanced, const char *fmt, ...)
	ATTR_FORMAT(4, 5);
void smtp_close(struct smtp_session *s, const char *why);
void smtp_reset_mail(struct smtp_session *s);
/* One command line without its line end. */
void smtp_command(struct smtp_session *s, struct slice line);
