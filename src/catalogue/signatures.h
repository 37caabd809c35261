/* signatures.h - what refusals by known blocklists and reputation systems look like: the table
 * share/signatures.tsv, and whether a reply matches it. Bytes in, results out. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SIGNATURES_FILE "signatures.tsv"
#define SIGNATURES_MAX_BYTES ((size_t)4 * 1024 * 1024) /* of the file */
#define SIGNATURES_MAX_TEXT ((size_t)64 * 1024)	       /* of a reply looked at */
#define SIGNATURES_MAX_HITS 16

enum signature_kind {
	SIGNATURE_IP,	    /* a public list of addresses */
	SIGNATURE_DOMAIN,   /* a public list of domains */
	SIGNATURE_VENDOR,   /* a filter maker's reputation */
	SIGNATURE_PROVIDER, /* a big receiver's own reputation or list */
	SIGNATURE_LOCAL,    /* a list that only this receiver has */
	SIGNATURE_DEAD,	    /* a list that is closed: no advice on leaving it */
	SIGNATURE_RECEIVER, /* the receiver asks wrongly: nobody is listed */
	SIGNATURE_DNS,	    /* from here on no list: reverse DNS, */
	SIGNATURE_AUTH,	    /* SPF, DKIM, DMARC, */
	SIGNATURE_RATE,	    /* too much at once, */
	SIGNATURE_CONTENT,  /* the content */
};

struct signature_pattern {
	enum { PATTERN_ZONE, PATTERN_KEYED, PATTERN_TEXT } kind;
	struct slice text; /* lower case */
};

struct signature {
	struct slice id, operated_by, list, lookup, delist, how, advice, source;
	enum signature_kind kind;
	struct signature_pattern *patterns;
	size_t pattern_count;
};

struct signatures {
	struct arena *arena;
	struct signature *items; /* in the order of the file: rows above win */
	size_t count;
};

struct signature_hit {
	const struct signature *signature;
	struct slice zone;  /* the table's zone that matched; empty when words did */
	struct slice query; /* the whole name in the reply that it was part of; may hold a key */
	bool keyed;	    /* the zone is of the keyed kind */
};

/* The whole table, copied; NULL with line number and reason when a row is not as it must be. */
struct signatures *signatures_parse(struct slice text, struct err *err);
struct signatures *signatures_free(struct signatures *s); /* NULL is fine; returns NULL */

/* All signatures that stand in the reply, in the table's order, each once. Zones match whole labels
 * at the end of a name; words ignore case and do not start within a word or number. Linear in the
 * reply for a given table. Returns how many (at most SIGNATURES_MAX_HITS). */
size_t signatures_match(const struct signatures *s, struct slice reply,
	struct signature_hit hits[SIGNATURES_MAX_HITS]);

/* Appends text with the receivers' keys in keyed zones ("<key>.zen.dq.spamhaus.net") as "***". */
void signatures_mask(const struct signatures *s, struct slice text, struct buf *out);
