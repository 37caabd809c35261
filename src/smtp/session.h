/* session.h - one SMTP or LMTP session, server side: bytes in, bytes and events out. No socket, no
 * clock: the time is an argument (ms on a clock that never goes back).
 *
 * RFC 5321 with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), STARTTLS (3207),
 * ENHANCEDSTATUSCODES (2034); LMTP (2033). Nothing is ever relayed: a session only takes mail and
 * hands it to its owner, whose answer becomes the reply to the final dot.
 *
 * The owner's loop:
 *	feed bytes, or tick when smtp_session_deadline() has come; both may write replies to `out`;
 *	then smtp_session_next_event() until it says SMTP_EVENT_NONE;
 *	send `out`.
 * After SMTP_EVENT_MAIL and SMTP_EVENT_STARTTLS the session holds what the client sends (up to
 * SMTP_HELD_MAX bytes) until it is answered. */
#pragma once

#include "base/buf.h"
#include "smtp/path.h"

#define SMTP_LINE_MAX                                                                              \
	((size_t)2048) /* of a command with its CRLF; RFC 5321 asks for 512 and more with extensions */
#define SMTP_HELD_MAX ((size_t)256 * 1024)

struct smtp_session;

enum smtp_rcpt { SMTP_RCPT_OK, SMTP_RCPT_UNKNOWN, SMTP_RCPT_RELAYING };

struct smtp_settings {
	const char *host_name; /* borrowed */
	bool lmtp;     /* LHLO instead of HELO and EHLO, one reply to the dot for each recipient */
	bool starttls; /* offered until it is used */
	size_t max_size;	 /* of one mail's content */
	unsigned max_recipients; /* of one mail; more get 452 */
	unsigned max_errors;	 /* 4xx and 5xx replies in a session; then 421 */
	unsigned
		max_junk; /* commands between mails that carry none forward: NOOP, RSET, VRFY, HELP, a second EHLO */
	unsigned max_mails;	/* in a session */
	int64_t greet_delay_ms; /* before the banner; who talks earlier is noted */
	int64_t command_ms;	/* for a whole command line, and between two reads of content */
	int64_t data_ms;	/* for a whole content */
	/* Whether mail to this path is taken; NULL: always. */
	enum smtp_rcpt (*recipient)(void *ctx, const struct smtp_path *to);
	void *ctx;
};

struct smtp_mail {
	struct slice helo; /* as the client wrote it, cut at 255 bytes; empty: none */
	bool esmtp, tls, utf8;
	bool early_talker;	/* wrote before the banner, or content before the 354 */
	bool bare_lf;		/* content has line ends that are no CRLF */
	struct slice mail_from; /* empty: the null sender */
	struct slice mail_from_domain;
	const struct smtp_path *recipients;
	size_t recipient_count;
	struct slice content; /* dots unstuffed */
	unsigned number;      /* 1 for the session's first */
};

enum smtp_event_kind {
	SMTP_EVENT_NONE,
	SMTP_EVENT_MAIL,     /* a whole mail: answer it with smtp_session_answer() */
	SMTP_EVENT_STARTTLS, /* `out` holds the 220: send it, start TLS, call smtp_session_tls() */
	SMTP_EVENT_CLOSE,    /* send `out`, then close */
};

struct smtp_event {
	enum smtp_event_kind kind;
	const struct smtp_mail *mail; /* MAIL: lives until the answer */
	const char
		*why; /* CLOSE: "quit", "timeout", "errors", "junk", "not-smtp", "limit", "mails" */
};

enum smtp_answer { SMTP_ACCEPTED, SMTP_TEMPFAIL };

/* Settings are copied. */
struct smtp_session *smtp_session_new(const struct smtp_settings *settings, int64_t now_ms);
struct smtp_session *smtp_session_free(struct smtp_session *s);
/* Takes all bytes. */
void smtp_session_feed(struct smtp_session *s, struct slice in, int64_t now_ms, struct buf *out);
/* False while what the client sends would only be held: before the banner, and until an answer. Pause
 * reading then. */
bool smtp_session_wants_input(const struct smtp_session *s);
/* When to call tick: the banner is due or the client's time is over; INT64_MAX: not by the clock. */
int64_t smtp_session_deadline(const struct smtp_session *s);
void smtp_session_tick(struct smtp_session *s, int64_t now_ms, struct buf *out);
bool smtp_session_next_event(struct smtp_session *s, struct smtp_event *ret);
/* The answer to SMTP_EVENT_MAIL; then goes on with what the client sent meanwhile. id: the name the
 * reply gives the mail. */
void smtp_session_answer(struct smtp_session *s, enum smtp_answer answer, struct slice id,
	int64_t now_ms, struct buf *out);
/* The content of the mail under way is no longer needed: frees its memory before the answer. */
void smtp_session_drop_content(struct smtp_session *s);
/* TLS stands (or its handshake has begun): everything the client said before is forgotten. */
void smtp_session_tls(struct smtp_session *s, int64_t now_ms);
/* Says 421 and closes, also in the middle of content: words for the client, a word for the event. */
void smtp_session_end(struct smtp_session *s, const char *enhanced, const char *words,
	const char *why, struct buf *out);
/* Bytes that this session holds in memory because its client sent them. */
size_t smtp_session_held(const struct smtp_session *s);
