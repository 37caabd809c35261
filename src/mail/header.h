/* header.h - the header block of a mail (RFC 5322): bounded, linear, never refuses; what is broken is
 * skipped. Line ends are LF or CRLF; in a block without any LF, CR. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#define HEADER_MAX_FIELDS 2000		      /* later ones are not seen */
#define HEADER_MAX_BYTES ((size_t)512 * 1024) /* of a block; what lies behind is not seen */
#define HEADER_MAX_VALUE ((size_t)64 * 1024)  /* of a decoded value; for buffers */

struct header {
	struct slice name;  /* without blanks before the colon */
	struct slice value; /* as it stands: folded, encoded, without the last line end */
	struct slice raw;   /* the whole field with its line end */
};

struct header_iter {
	struct slice rest;
	unsigned seen;
	bool cr_only;
};

/* Cuts a mail (or a MIME part) at its first empty line. A "From " line of an mbox before the header
 * block is left out of it. Without an empty line everything is head. */
void header_split(struct slice mail, struct slice *ret_head, struct slice *ret_body);

struct header_iter header_iter_of(struct slice head);
bool header_next(struct header_iter *it, struct header *ret);
/* The first field of that name (case ignored). */
bool header_find(struct slice head, const char *name, struct header *ret);
/* Its value, folded as it stands; empty when there is none. */
struct slice header_value(struct slice head, const char *name);
bool header_has(struct slice head, const char *name);

/* Appends the value on one line: line ends gone, runs of blanks at folds one blank. */
void header_unfold(struct slice value, struct buf *out);
/* The same with RFC 2047 encoded words decoded; valid UTF-8, control characters become blanks. */
void header_decode(struct slice value, struct buf *out);

/* The word before the first ';', comments and blanks gone: "text/html" of a Content-Type. */
struct slice header_main(struct slice value);
/* A parameter (RFC 2045), with continuations and charsets (RFC 2231), also encoded words in quotes,
 * which many write; appended as UTF-8. False when it is not there. */
bool header_param(struct slice value, const char *name, struct buf *out);

/* Cuts the next address off a From, To, Return-Path ... value: what stands in <>, or a bare word with
 * an '@'; names, comments, groups are skipped. "<>" gives an empty slice. False at the end. Linear. */
bool address_next(struct slice *rest, struct slice *ret_address);
/* The part before or after the last '@'. */
struct slice address_local(struct slice address);
struct slice address_domain(struct slice address);
