/* tsig.h - signed messages (TSIG, RFC 8945): one chain for each exchange, the same on both ends. The HMAC is
 * libdnssec's. Times are unix seconds and come from the caller.
 *
 *   a client:  start, sign(question), check(reply), check(the next one of a transfer) ...
 *   a server:  tsig_find, start, check(question), sign(reply), sign(the next one) ... */
#pragma once

#include "base/err.h"
#include "dns/wire.h"

#define TSIG_MAC_MAX 64
#define TSIG_SECRET_MAX 512
#define TSIG_FUDGE_S 300
#define TSIG_UNSIGNED_MAX 99 /* messages between two signatures (RFC 8945, 5.3.1) */
/* Room that a signature needs behind a message. */
#define TSIG_SIZE_MAX (DOMAIN_WIRE_MAX + 10 + 32 + 10 + TSIG_MAC_MAX + 6 + 6)

struct tsig_key {
	struct domain name;
	uint8_t algorithm; /* libdnssec's number */
	uint16_t secret_len;
	uint8_t secret[TSIG_SECRET_MAX];
};

/* algorithm: "hmac-sha256" and the like; secret: base64, as tsig-keygen and keymgr print it. */
bool tsig_key_init(struct tsig_key *ret, const struct domain *name, const char *algorithm,
	struct slice secret, struct err *err);

/* The last record of a message. */
struct tsig_record {
	size_t at;		       /* where it begins: the message without it ends here */
	struct domain name, algorithm; /* in lower case */
	uint64_t time_s;
	uint16_t fudge_s, original_id, error;
	struct slice mac, other; /* point into the message */
};

enum tsig_found { TSIG_ABSENT, TSIG_PRESENT, TSIG_MALFORMED };
/* Looks at every record's frame; MALFORMED also when records are cut short or TSIG is not the last one. */
enum tsig_found tsig_find(struct slice message, struct tsig_record *ret);

struct tsig_chain {
	const struct tsig_key *key;	/* borrowed */
	struct dnssec_tsig_ctx *digest; /* of messages since the last signature; NULL: none */
	unsigned step, unsigned_count;
	uint8_t mac[TSIG_MAC_MAX];
	size_t mac_len;
};

/* Errors of TSIG's own error field (RFC 8945, 3); 0: good. */
enum tsig_error {
	TSIG_OK = 0,
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22
};

void tsig_chain_start(struct tsig_chain *c, const struct tsig_key *key);
void tsig_chain_done(struct tsig_chain *c);
/* Puts a signature behind the message. Returns its new length; 0: less than TSIG_SIZE_MAX bytes of room. */
size_t tsig_chain_sign(
	struct tsig_chain *c, uint8_t *message, size_t len, size_t size, int64_t now_s);
/* record: what tsig_find() found in it; NULL: it is unsigned, which only later messages of a transfer may
 * be, and neither too many of them nor the last (tsig_chain_is_signed). */
enum tsig_error tsig_chain_check(struct tsig_chain *c, struct slice message,
	const struct tsig_record *record, int64_t now_s);
/* Nothing has come since the last signature. */
bool tsig_chain_is_signed(const struct tsig_chain *c);

/* A reply's TSIG that names an error: for BADTIME signed and with our time, else without a signature (RFC
 * 8945, 5.3.2). c: after the check that failed; record: the question's. Returns the new length. */
size_t tsig_refuse(struct tsig_chain *c, const struct tsig_record *record, enum tsig_error error,
	uint8_t *message, size_t len, size_t size, int64_t now_s);
