/* slice.h - a view of bytes: never owns, never assumed to end in NUL, passed by value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_FMT(s) (int)(s).len, (s).ptr /* for "%.*s" */
#define SLICE_EMPTY ((struct slice){"", 0})

static inline struct slice slice_of(const void *ptr, size_t len)
{
	return (struct slice){ptr, len};
}

/* A view of a C string; NULL gives an empty slice. */
static inline struct slice slice_str(const char *s)
{
	return s ? (struct slice){s, strlen(s)} : SLICE_EMPTY;
}

bool slice_eq(struct slice a, struct slice b);
/* ASCII only: the comparison of protocols, not of people. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);
/* Index of the first c, or s.len when there is none. */
size_t slice_find(struct slice s, char c);
/* Index of the first place where needle stands, ASCII case ignored; s.len when none. */
size_t slice_find_nocase(struct slice s, struct slice needle);

/* s without its first n bytes (all of it gone when n > len). */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	n = n > s.len ? s.len : n;
	return (struct slice){s.len ? s.ptr + n : s.ptr, s.len - n};
}
/* The first n bytes of s (all of it when n > len). */
static inline struct slice slice_take(struct slice s, size_t n)
{
	return (struct slice){s.ptr, n > s.len ? s.len : n};
}
/* s without ASCII blanks, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Cuts *s at the first c: *ret gets what stands before it, *s what stands after it. Without a c,
 * *ret gets everything and *s becomes empty. False only when *s was empty with ptr NULL'd by an
 * earlier last cut, so `while (slice_cut(&rest, ',', &word))` visits every field, empty ones too. */
bool slice_cut(struct slice *s, char c, struct slice *ret);
/* Cuts the next line off *s, without its LF or CRLF. False at the end. */
bool slice_cut_line(struct slice *s, struct slice *ret_line);
/* Cuts the next run of non-blanks (blank = space or tab) off *s. False when only blanks are left. */
bool slice_cut_word(struct slice *s, struct slice *ret_word);

/* A whole decimal number, no sign, no blanks, at most max. */
bool slice_u64(struct slice s, uint64_t max, uint64_t *ret);

/* A NUL-terminated copy in a caller's array; false (and "" in dst) when it does not fit or when s
 * holds a NUL. */
bool slice_copy(struct slice s, char *dst, size_t dst_size);

static inline bool ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}
static inline bool ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}
static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
/* 0..15, or -1. */
static inline int ascii_hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
