/* subject.h - what a listing is about: an address, a prefix or a domain, in one canonical text. */
#pragma once

#include "base/domain.h"
#include "base/err.h"
#include "base/ip.h"

#define SUBJECT_TEXT_MAX 256

enum subject_kind { SUBJECT_PREFIX = 1, SUBJECT_DOMAIN = 2 };

struct subject {
	enum subject_kind kind;
	struct prefix prefix;	     /* SUBJECT_PREFIX; a single address has the full length */
	struct domain domain;	     /* SUBJECT_DOMAIN */
	char text[SUBJECT_TEXT_MAX]; /* canonical: equal subjects have equal text */
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/64", "bad.example". IPv4-mapped IPv6 becomes IPv4, Unicode
 * names become A-labels. Domains: letters, digits, hyphen and underscore, two labels at least. */
bool subject_parse(struct slice text, struct subject *ret, struct err *err);
void subject_of_prefix(const struct prefix *p, struct subject *ret);
/* The nth subject that covers s, itself being the 0th: shorter prefixes, parent domains (two labels at
 * least). False when there are no more. What a listing of can affect s. */
bool subject_wider(const struct subject *s, unsigned n, struct subject *ret);
