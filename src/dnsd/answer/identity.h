/* identity.h - what the server says of itself to those who ask: NSID, the names of class CHAOS, TCP's idle
 * time, cookies; and the reason of a refusal. Never changes once made; all threads share it. */
#pragma once

#include "config/config.h"
#include "dns/cookie.h"
#include "dns/writer.h"
#include "dnsd/answer/answer.h"

#define IDENTITY_SECRETS 4

struct identity {
	struct slice nsid, version, id; /* borrowed; "": not told */
	uint16_t keepalive;		/* tenths of a second */
	bool cookies;
	size_t secret_count; /* 0: made from `random`, others every day */
	uint8_t secrets[IDENTITY_SECRETS][DNS_COOKIE_SECRET]; /* the first one makes cookies */
	uint8_t random[16];
	const struct secondaries *secondaries; /* whose signatures are known; NULL: nobody's */
	const struct notified *notified;       /* whose NOTIFY is taken; NULL: nobody's */
};

/* The configuration must outlive it. `random`: 16 bytes nobody can guess. */
bool identity_init(struct identity *id, const struct config_dnsd *config, const uint8_t random[16],
	struct err *err);

/* Adds the options that q's client asked for and may have; id NULL: none. True: its cookie is valid, so
 * that its address is no forgery. */
bool identity_options(
	const struct answer_from *from, const struct dns_question *q, struct dns_writer *w);
/* version.bind, version.server, id.server, hostname.bind (RFC 4892) as TXT of class CHAOS. False: no such
 * name, or not told. */
bool identity_chaos(const struct identity *id, const struct dns_question *q, struct dns_writer *w);
/* An extended error (RFC 8914) when there is room for it. */
void identity_error(struct dns_writer *w, enum dns_ede code, const char *text);
