/* mime.h - the MIME tree of a mail (RFC 2045, 2046) in one pass over its lines: no recursion, limits on
 * depth, parts and decoded bytes. Never refuses: what is over a limit stays a leaf and is told in
 * `cut`. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "mail/header.h"

#define MIME_MAX_DEPTH 16
#define MIME_MAX_PARTS 256
#define MIME_MAX_DECODED ((size_t)8 * 1024 * 1024) /* of one part */
#define MIME_ARENA_SIZE ((size_t)16 * 1024 * 1024) /* an arena that is large enough for any mail */

enum mime_encoding { MIME_IDENTITY, MIME_BASE64, MIME_QUOTED_PRINTABLE, MIME_UUENCODE };

struct mime_part {
	struct slice head,
		body;	 /* as they stand; in the mail, or in the arena below an encoded message */
	int parent;	 /* index in parts, -1 for the root */
	uint8_t depth;	 /* 0 for the root */
	bool is_leaf;	 /* not a multipart or message with parts of its own */
	bool in_message; /* lies below a message/rfc822 part: someone else's mail, carried along */
	enum mime_encoding encoding;
	char type[80];	  /* "text/plain"; lower case */
	char charset[32]; /* lower case; "" when none is told */
};

struct mime_tree {
	struct mime_part *parts; /* in the order in which they stand; parts[0] is the whole mail */
	size_t count;
	bool cut; /* a limit was met */
};

/* The tree and its parts live in the arena; the slices point into the mail. False (and an empty tree)
 * only when the arena is full. */
bool mime_parse(struct slice mail, struct arena *a, struct mime_tree *ret);
bool mime_is(
	const struct mime_part *p, const char *type); /* "text/html", or "text/" for all text */
/* Appends the bytes, transfer encoding undone. */
void mime_decode(const struct mime_part *p, struct buf *out);
/* The same, then from its charset to UTF-8. */
void mime_text(const struct mime_part *p, struct buf *out);
/* Its file name, UTF-8; false when it has none. */
bool mime_file_name(const struct mime_part *p, struct buf *out);
/* The transfer encodings by themselves; broken input is taken as far as it makes sense. */
void mime_decode_base64(struct slice in, struct buf *out);
void mime_decode_quoted_printable(struct slice in, struct buf *out);
