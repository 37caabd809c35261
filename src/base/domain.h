/* domain.h - domain names: wire form, lower case, at most 255 bytes (RFC 1035), with the root label
 * at the end. One form inside; text comes in and goes out only here. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

#define DOMAIN_WIRE_MAX 255
#define DOMAIN_TEXT_MAX 1024 /* every byte escaped as \DDD, and a NUL */

struct domain {
	uint8_t len;	/* bytes in wire, the root label included: 1 for the root; 0 = none */
	uint8_t labels; /* without the root label */
	uint8_t wire[DOMAIN_WIRE_MAX];
};

struct domain_text {
	char s[DOMAIN_TEXT_MAX];
};

/* From presentation form: "a.example", "a.example.", \DDD and \X escapes. ASCII only. */
bool domain_parse(struct slice text, struct domain *ret, struct err *err);
/* From what people and mails write: UTF-8 names go through IDNA 2008 (UTS 46, non-transitional). */
bool domain_parse_idn(struct slice text, struct domain *ret, struct err *err);
/* From uncompressed wire bytes; lower-cases. False when not one whole valid name. */
bool domain_from_wire(const uint8_t *wire, size_t len, struct domain *ret);
struct domain_text domain_text(const struct domain *d); /* without a final dot; "." for the root */
bool domain_eq(const struct domain *a, const struct domain *b);
/* True when d is `ancestor` or lies below it. */
bool domain_is_under(const struct domain *d, const struct domain *ancestor);
/* d without its first n labels. */
struct domain domain_parent(const struct domain *d, unsigned n);
/* front + back ("4.3.2.1" + "bl.example"); false when longer than 255 bytes. */
bool domain_join(const struct domain *front, const struct domain *back, struct domain *ret);
