/* html.h - HTML cut into tags, attributes and text as WHATWG's tokenizer cuts it; no tree. */
#pragma once

#include "base/buf.h"

struct html_attribute {
	struct slice name;  /* as it stands */
	struct slice value; /* entities not decoded; see html_unescape */
};

#define HTML_MAX_ATTRIBUTES 64 /* of one tag; later ones are not seen */

enum html_token_kind { HTML_TEXT, HTML_TAG, HTML_END_TAG };

struct html_token {
	enum html_token_kind kind;
	struct slice name; /* of a tag, as it stands (compare without case) */
	struct slice text; /* entities not decoded; of script, style ...: raw */
	bool raw_text;	   /* text is a script or style, not for people */
	struct html_attribute attributes[HTML_MAX_ATTRIBUTES];
	unsigned attribute_count;
};

struct html_iter {
	struct slice rest;
	struct slice raw_until; /* we are inside <script>, <style> ...: its name */
	size_t no_end_tag_of;	/* internal: set of raw elements known to have no end tag left */
};

struct html_iter html_iter_of(struct slice html);
bool html_next(struct html_iter *it, struct html_token *ret);
/* The attribute of that name; empty slice when it is not there. */
struct slice html_attribute(const struct html_token *t, const char *name);
/* Appends s with character references decoded (numeric ones, and the named ones that matter in URLs
 * and plain text). */
void html_unescape(struct slice s, struct buf *out);
/* Appends what a reader sees: text without tags, scripts, styles; blanks collapsed, blocks on lines. */
void html_to_text(struct slice html, struct buf *out);
