/* observe.h - what a mail in the trap says: its sender, its kind, whom it advertises. From a mail to
 * evidence messages (docs/messages.md); no socket, no clock, no chance. */
#pragma once

#include "base/ip.h"
#include "config/config.h"
#include "mail/classify.h"
#include "smtp/session.h"
#include "trapd/traps.h"

#include <jansson.h>
#include <libpsl.h>

/* A mail to several traps is one hit at each: counted the same whether a client gives ten recipients at
 * once or sends ten mails. Recipients beyond these are taken and not counted. */
#define OBSERVE_MAX_TRAPS 16

struct observer {
	const struct config_trapd *config;
	struct traps *traps;
	uint8_t key[16]; /* names traps */
	const psl_ctx_t *psl;
};

struct observation {
	enum mail_class class;
	const char *why; /* what decided the class */
	struct ip ip;	 /* of the sender; family 0: nobody who may be listed is known */
	unsigned hops;	 /* Received fields read for it; 0: it is the peer */
	size_t domain_count;
	size_t count;			     /* evidence messages */
	json_t *evidence[OBSERVE_MAX_TRAPS]; /* owned */
};

/* psl: borrowed. What cannot be a trap is told in err. */
bool observer_init(struct observer *o, const struct config_trapd *config, const uint8_t key[16],
	const psl_ctx_t *psl, struct err *err);
void observer_done(struct observer *o);

/* RCPT: a trap; all others are unknown at a domain of ours, and elsewhere not ours to take. postmaster and abuse are no traps: people
 * write to them with good reason, so they are refused rather than taken and dropped. */
enum smtp_rcpt observer_recipient(const struct observer *o, const struct smtp_path *to);

/* The trap's name: a keyed hash of the address, 16 hex digits. */
struct trap_name {
	char s[17];
} observer_trap_name(const struct observer *o, const struct smtp_path *to);

/* peer: the client's address (family 0: a Unix socket); uid: the mail's own name, 1 to 40 letters. The
 * evidence for the second trap and on has "-2" and so on behind it. */
void observe_mail(const struct observer *o, const struct smtp_mail *mail, const struct ip *peer,
	uint16_t port, const char *uid, int64_t at_ms, struct observation *ret);
void observation_done(struct observation *ob);
