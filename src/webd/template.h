/* template.h - a small Mustache whose every value is escaped for HTML; there is no way to write a raw
 * one. Rendered over a JSON object.
 *
 *	{{name}} {{a.b}} {{.}}	the value, escaped for text and for quoted attributes
 *	{{#name}}..{{/name}}	for each item of an array; once for an object, or when true
 *	{{^name}}..{{/name}}	when missing, null, false, 0, "", [] or {}
 *	{{>name}}		another template
 *	{{! words }}		nothing
 *	{{#_}}Words with {{name}}{{/_}}	a text to translate: looked up in the catalogue when the template
 *			is read, runs of blanks made one; only values may stand in it
 *
 * Names are looked up from the innermost section outwards. Tags that stand alone on a line take the
 * line with them. Templates come from the operator, values from anywhere. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "webd/mo.h"

#include <jansson.h>

#define TEMPLATE_BYTES_MAX ((size_t)64 * 1024) /* of one template */
#define TEMPLATE_NAME_MAX 64
#define TEMPLATE_NESTING_MAX 16 /* sections within sections, within partials too */

struct template_set;

/* All templates of one language. mo may be NULL; it and what is added stay the caller's, and must
 * outlive the set. */
struct template_set *template_set_new(const struct mo *mo);
struct template_set *template_set_free(struct template_set *set);
/* Reads one; the words of an error begin with name and line. */
bool template_set_add(
	struct template_set *set, const char *name, struct slice text, struct err *err);
/* When all are there: finds the partials. A missing one or a circle is an error. */
bool template_set_link(struct template_set *set, struct err *err);
/* False without such a template or when ret is full. */
bool template_render(
	const struct template_set *set, const char *name, json_t *values, struct buf *ret);

/* The same {{name}} in plain words, for one line of text: values as they are, nothing escaped. Only
 * strings and integers of `values` itself; unknown names become nothing. */
void template_fill(const char *text, json_t *values, struct buf *ret);

/* One value, escaped: & < > " ' become references; controls and the characters that turn the writing
 * direction (U+202A..202E, U+2066..2069) become U+FFFD. */
void html_escape(struct slice text, struct buf *ret);
