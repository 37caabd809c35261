/* options.h - the tables of options: from them come parser, defaults, checks, help and print. */
#pragma once

#include "base/attr.h"
#include "config/config.h"

enum option_type {
	OPTION_TEXT,	  /* char * */
	OPTION_TEXTS,	  /* struct strings */
	OPTION_COUNT,	  /* long, min..max */
	OPTION_DURATION,  /* long, seconds, min..max */
	OPTION_YESNO,	  /* bool */
	OPTION_WORD,	  /* int, an enum: index into words */
	OPTION_PREFIXES,  /* struct prefixes */
	OPTION_CODE,	  /* uint32_t: 127.0.0.2 to 127.255.255.255, host order */
	OPTION_ADDRESS,	  /* char *: addr:port */
	OPTION_ADDRESSES, /* struct strings: addr:port each */
	OPTION_DOMAIN,	  /* char * */
	OPTION_DOMAINS,	  /* struct strings */
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;	      /* in the section's struct */
	const char *fallback; /* list items separated by blanks; "" = empty */
	long min, max;
	const char *const *words; /* OPTION_WORD, NULL-terminated */
	const char *help;
};

struct option_section {
	const char *name;	      /* "" for the top of the file */
	bool titled;		      /* name "title" { ... }, any number of them */
	const struct option *options; /* ended by a NULL name */
	size_t size;		      /* of its struct */
	const char *help;
};

/* ended by a NULL name; nested sections are named "outer|inner" as libconfuse writes paths. */
extern const struct option_section option_sections[];

/* Reads values into the struct at base. Leaves it alone on error. */
bool option_set(const struct option *o, const char *const *values, size_t count, void *base,
	struct err *err);
/* The default, split into values; calls option_set. */
bool option_set_fallback(const struct option *o, void *base, struct err *err);
void option_print(const struct option *o, const void *base, FILE *to);
void option_done(const struct option *o, void *base);

bool option_is_many(const struct option *o); /* takes a list of values */
/* By its whole name; one that does not exist is our own fault and aborts. */
const struct option_section *option_section_named(const char *name);
const char *option_section_leaf(const char *name); /* "zone" of "dnsd|zone" */
