/* writer.h - a reply, written into memory of fixed size. What does not fit is left out whole, record by
 * record, and said so (TC); nothing is allocated. */
#pragma once

#include "dns/question.h"

#define DNS_WRITER_NAMES 8 /* names that later ones may point into */

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

struct dns_writer {
	uint8_t *start, *at, *end; /* end: already without the room that OPT and its options need */
	uint8_t *options_end;	   /* options wait between end and this */
	uint8_t *rdata;		   /* of the open record */
	uint8_t *undo;		   /* where the open record began */
	unsigned undo_names;
	const struct dns_question *question;
	uint16_t counts[3];
	bool overflow;	      /* sticky: a record did not fit */
	bool record_overflow; /* the open one does not */
	unsigned name_count;
	struct {
		const struct domain *name;
		uint16_t at;	 /* in the message */
		uint8_t literal; /* bytes before its own pointer, if any */
	} names[DNS_WRITER_NAMES];
};

/* Leaves room for the header, copies the question (as it came, letter case and all). `size` at least
 * DNS_UDP_PLAIN. `message` is where q was parsed from. */
void dns_writer_start(struct dns_writer *w, uint8_t *dst, size_t size, struct slice message,
	const struct dns_question *q);

/* A record: begin, rdata, end. `owner_at` is where its name stands in the message: DNS_HEADER_SIZE for
 * the question's own, more for one of its parents. False from the end: it did not fit and is not there. */
void dns_record_begin(struct dns_writer *w, uint16_t owner_at, uint16_t type, uint32_t ttl);
/* The same with an owner of its own, which must live until the reply is done. */
void dns_record_begin_of(
	struct dns_writer *w, const struct domain *owner, uint16_t type, uint32_t ttl);
void dns_record_bytes(struct dns_writer *w, const void *bytes, size_t len);
void dns_record_u16(struct dns_writer *w, uint16_t v);
void dns_record_u32(struct dns_writer *w, uint32_t v);
/* Compressed against the question and names written before; `name` must live until the reply is done. */
void dns_record_name(struct dns_writer *w, const struct domain *name);
/* As strings of at most 255 bytes; an empty text is one empty string. */
void dns_record_text(struct dns_writer *w, struct slice text);
bool dns_record_end(struct dns_writer *w, enum dns_section section);

/* An option for OPT, taken from the room that is left: before the records it is sure of its place, behind
 * them it may find none. False, and nothing happens, without EDNS or room. */
bool dns_writer_option(struct dns_writer *w, enum dns_option code, struct slice value);

/* OPT (when the client sent one) and header. `flags`: AA and the like; rcode as a number of up to 12
 * bits; TC is set when an answer did not fit. Returns the size of the reply. */
size_t dns_writer_finish(struct dns_writer *w, unsigned flags, unsigned rcode);
