/* template.c - renders parsed templates, and escapes. The parser is in template_parse.c. */
#include "webd/template_node.h"

#include "base/mem.h"

#define HTML_REPLACEMENT "\xef\xbf\xbd"
#define RENDER_STEPS_MAX 1000000
#define LOOKUP_DEPTH_MAX (TEMPLATE_NESTING_MAX + 1)

/* The values in reach: the innermost section's last. */
struct scope {
	json_t *values[LOOKUP_DEPTH_MAX];
	size_t depth;
	size_t steps; /* nodes rendered: arrays within arrays end too */
};

static bool is_direction_control(const char *p, size_t left)
{
	unsigned char c = left > 2 ? (unsigned char)p[2] : 0;

	if (left < 3 || (unsigned char)p[0] != 0xe2)
		return false;
	return ((unsigned char)p[1] == 0x80 && c >= 0xaa && c <= 0xae)
	       || ((unsigned char)p[1] == 0x81 && c >= 0xa6 && c <= 0xa9);
}

void html_escape(struct slice text, struct buf *ret)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		switch (c) {
		case '&':
			buf_add_str(ret, "&amp;");
			break;
		case '<':
			buf_add_str(ret, "&lt;");
			break;
		case '>':
			buf_add_str(ret, "&gt;");
			break;
		case '"':
			buf_add_str(ret, "&quot;");
			break;
		case '\'':
			buf_add_str(ret, "&#39;");
			break;
		default:
			if (is_direction_control(text.ptr + i, text.len - i)) {
				buf_add_str(ret, HTML_REPLACEMENT);
				i += 2;
			} else if (((unsigned char)c < 0x20 && c != '\t' && c != '\n')
				   || c == 0x7f) {
				buf_add_str(ret, HTML_REPLACEMENT);
			} else {
				buf_add_char(ret, c);
			}
		}
	}
}

/* "a.b.c": a from the innermost scope that has it, the rest within it. */
static json_t *scope_find(const struct scope *scope, struct slice path)
{
	struct slice word;
	json_t *found = NULL;

	if (slice_eq(path, SLICE(".")))
		return scope->values[scope->depth - 1];
	slice_cut(&path, '.', &word);
	for (size_t i = scope->depth; i-- && !found;)
		found = json_object_getn(scope->values[i], word.ptr, word.len);
	while (found && path.ptr && slice_cut(&path, '.', &word))
		found = json_object_getn(found, word.ptr, word.len);
	return found;
}

static bool is_true(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) != 0;
	case JSON_ARRAY:
		return json_array_size(value) != 0;
	case JSON_STRING:
		return json_string_length(value) != 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) != 0;
	case JSON_TRUE:
		return true;
	default:
		return false;
	}
}

static void value_render(const json_t *value, struct buf *ret)
{
	if (json_is_string(value))
		html_escape(slice_of(json_string_value(value), json_string_length(value)), ret);
	else if (json_is_integer(value))
		buf_addf(ret, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		buf_addf(ret, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		buf_add_str(ret, json_is_true(value) ? "true" : "false");
}

static void nodes_render(const struct node *n, struct scope *scope, struct buf *ret);

static void within(const struct node *n, json_t *value, struct scope *scope, struct buf *ret)
{
	/* template_set_link() made sure that nesting ends before the scope does. */
	if (scope->depth == LOOKUP_DEPTH_MAX)
		return;
	scope->values[scope->depth++] = value;
	nodes_render(n, scope, ret);
	scope->depth--;
}

static void section_render(const struct node *n, struct scope *scope, struct buf *ret)
{
	json_t *value = scope_find(scope, n->text), *item;
	size_t i;

	if (!value || !is_true(value))
		return;
	if (!json_is_array(value)) {
		within(n->child, value, scope, ret);
		return;
	}
	json_array_foreach(value, i, item)
	{
		if (ret->failed)
			return;
		within(n->child, item, scope, ret);
	}
}

static void nodes_render(const struct node *n, struct scope *scope, struct buf *ret)
{
	for (; n && !ret->failed; n = n->next) {
		json_t *value = NULL;

		if (++scope->steps > RENDER_STEPS_MAX) {
			ret->failed = true;
			return;
		}
		switch (n->kind) {
		case NODE_TEXT:
			buf_add_slice(ret, n->text);
			break;
		case NODE_VALUE:
			value = scope_find(scope, n->text);
			if (value)
				value_render(value, ret);
			break;
		case NODE_SECTION:
			section_render(n, scope, ret);
			break;
		case NODE_INVERTED:
			value = scope_find(scope, n->text);
			if (!value || !is_true(value))
				nodes_render(n->child, scope, ret);
			break;
		case NODE_WORDS:
			nodes_render(n->child, scope, ret);
			break;
		case NODE_PARTIAL:
			nodes_render(n->partial->first, scope, ret);
			break;
		}
	}
}

bool template_render(
	const struct template_set *set, const char *name, json_t *values, struct buf *ret)
{
	const struct template *t = template_find(set, slice_str(name));
	struct scope scope = {.values = {values}, .depth = 1};

	if (!t)
		return false;
	nodes_render(t->first, &scope, ret);
	return !ret->failed;
}

void template_fill(const char *text, json_t *values, struct buf *ret)
{
	struct slice rest = slice_str(text);

	while (rest.len) {
		size_t open = slice_find_nocase(rest, SLICE("{{"));
		struct slice tail = slice_skip(rest, open + 2);
		size_t shut = slice_find_nocase(tail, SLICE("}}"));
		json_t *value;

		buf_add_slice(ret, slice_take(rest, open));
		if (open == rest.len || shut == tail.len)
			return;
		value = json_object_getn(values, tail.ptr, shut);
		if (json_is_string(value))
			buf_add(ret, json_string_value(value), json_string_length(value));
		else if (json_is_integer(value))
			buf_addf(ret, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		rest = slice_skip(tail, shut + 2);
	}
}
