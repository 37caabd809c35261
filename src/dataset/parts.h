/* parts.h - the insides of a data set being read, shared by the files of this folder. */
#pragma once

#include "dataset/dataset.h"

#define BASE_TEMPLATE 10 /* place of $= behind $0..$9 */
#define SUBSTITUTES 11
#define TEXT_RAW_MAX 255 /* rbldnsd cuts a text here when it reads it */
#define DEFAULT_CODE 0x7f000002u
#define LINE_MAX_BYTES 32768 /* rbldnsd cuts longer lines */

/* A data set, or one section of a combined one. */
struct unit {
	enum dataset_type type;
	struct builder_set *set;
	struct set_meta meta;
	struct buf places; /* behind meta.places */
	uint32_t ttl_s;
	char *subst[SUBSTITUTES]; /* NULL: not given */
	/* What entries without a value of their own answer. */
	bool has_default; /* for the types that take only the first default line */
	uint32_t default_code;
	struct buf default_text;
	bool default_known; /* default_id is valid */
	uint32_t default_id;
	struct records *records; /* of a generic data set; see records.c */
};

struct dataset {
	struct builder *builder;
	struct slice name; /* owned */
	struct dataset_options options;
	struct unit *units; /* the first is the data set itself; further ones only when combined */
	size_t unit_count, unit_cap;
	bool in_section; /* entries go to the last unit: after a $ line, once there is a section */
	uint32_t max_range4; /* 0: none */
	int64_t stamp_s;
	char file_name[4096];
	struct slice file; /* the one being read: in file_name */
	bool in_long_line;
	uint64_t line;
	struct buf warnings;
	size_t warning_count;
	struct pieces *pieces; /* of the text being read side by side */
};

static inline struct unit *dataset_top(const struct dataset *d)
{
	return &d->units[0];
}

/* Where $TTL and substitutes go: the section being read, else the whole. */
static inline struct unit *dataset_scope(struct dataset *d)
{
	return &d->units[d->unit_count - 1];
}

void dataset_warn(struct dataset *d, const char *fmt, ...) ATTR_FORMAT(2, 3);
/* A new section; its default is rbldnsd's own. */
struct unit *dataset_unit_add(struct dataset *d, enum dataset_type type);

/* pieces.c: reads lines from the start of text, as dataset_lines() does, with the builder's helpers.
 * *ret_used: whole lines that were taken. */
bool pieces_take(struct dataset *d, struct slice text, size_t *ret_used, struct err *err);
struct pieces *pieces_free(struct pieces *p);
/* dataset.c: whole lines one by one; and lines that are addresses and nothing else. False: not where we are,
 * take them as lines. */
bool dataset_lines(struct dataset *d, struct slice text, struct err *err);
bool dataset_addresses(struct dataset *d, const uint32_t *addresses, size_t count);

/* special.c: what stands behind the $. False: err is set and the file is refused. */
bool special_line(struct dataset *d, struct slice line, struct err *err);
/* A number, and one with one unit letter (s m h d w) at most, and the blanks behind it, off *s. */
bool take_number(struct slice *s, uint32_t *ret);
bool take_time(struct slice *s, uint32_t *ret);
bool take_name(struct slice *s, struct domain *ret);
/* take_time() for a TTL: 0 means the fallback, others are kept within the bounds given. */
bool take_ttl(struct dataset *d, struct slice *s, uint32_t fallback_s, uint32_t *ret);
/* lines.c: one entry or default line. */
bool entry_line(struct dataset *d, struct unit *u, struct slice line, struct err *err);
/* True when the whole line is a dotted quad, the form big files consist of. */
bool entry_plain_quad(struct slice line, uint32_t *ret);
void unit_default_set(struct unit *u, uint32_t code, struct slice text);
/* The id of what entries without a value of their own answer. */
uint32_t unit_default(struct unit *u);
/* ":code:text", ":code" or "text"; what is missing comes from the defaults given. False: warned of. */
bool read_value(struct dataset *d, struct slice s, uint32_t default_code, struct slice default_text,
	uint32_t *ret_code, struct slice *ret_text);

/* records.c: a line of a generic data set, and what comes of all of them. */
bool records_line(struct dataset *d, struct unit *u, struct slice line, struct err *err);
void records_finish(struct dataset *d, struct unit *u);
struct records *records_free(struct records *r);

/* access.c: a line of an acl or aclkey data set. */
void access_line(struct dataset *d, struct unit *u, struct slice line);
void access_default_restart(struct unit *u);
void access_finish(struct unit *u);

/* address.c: read from the start of *s and leave *s behind what was read. */
enum { ADDRESS_BAD = -1 };
bool address_host4(struct slice *s, uint32_t *ret); /* as old C libraries: "127.2" is 127.0.0.2 */
int address_prefix4(
	struct slice *s, uint32_t *ret);	   /* 8, 16, 24 or 32 bits given, or ADDRESS_BAD */
int address_cidr4(struct slice *s, uint32_t *ret); /* bits, or ADDRESS_BAD */
int address_range4(struct slice *s, uint32_t *ret_first, uint32_t *ret_last);
int address_prefix6(struct slice *s, uint8_t ret[16]); /* 16..128 bits given, or ADDRESS_BAD */
int address_cidr6(struct slice *s, uint8_t ret[16]);
/* dots, escapes and lengths as rbldnsd takes them; lower case. */
bool name_read(struct slice text, struct domain *ret);

/* template.c: rbldnsd's template and variables as our template (value.h). */
/* It would come out as it is, as most do. */
bool template_is_complete(struct slice raw, char *const subst[SUBSTITUTES]);
void template_complete(struct slice raw, char *const subst[SUBSTITUTES], struct buf *to);

static inline bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static inline struct slice skip_blanks(struct slice s)
{
	while (s.len && ascii_is_blank(s.ptr[0]))
		s = slice_skip(s, 1);
	return s;
}

static inline uint32_t mask4(unsigned bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}
