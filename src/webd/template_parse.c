/* template_parse.c - reads templates: text into nodes, texts to translate into their translation. */
#include "webd/template_node.h"

#include "base/mem.h"

#define SET_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define WORDS_MAX 2048 /* one text to translate */

struct parser {
	struct template_set *set;
	const char *name;
	const char *start;
	struct slice rest;
	unsigned line;
	bool in_words; /* only values may stand here */
	struct err *err;
};

struct tag {
	char sigil; /* '#', '^', '/', '>', '!' or 0: a value */
	struct slice name;
	unsigned line;
};

static bool fault(const struct parser *p, enum err_kind kind, const char *what, struct slice name)
{
	return err_set(p->err, kind, "%s:%u: %s {{%.*s}}", p->name, p->line, what,
		(int)MIN(name.len, (size_t)80), name.ptr);
}

static unsigned lines_in(struct slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '\n';
	return n;
}

static bool name_is_valid(struct slice name)
{
	if (slice_eq(name, SLICE(".")))
		return true;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		/* A dot only between two words. */
		if (c == '.' && (i == 0 || i + 1 == name.len || name.ptr[i - 1] == '.'))
			return false;
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' && c != '-' && c != '.')
			return false;
	}
	return name.len > 0 && name.len < TEMPLATE_NAME_MAX;
}

/* p->rest stands behind "{{"; afterwards behind "}}". */
static bool tag_parse(struct parser *p, struct tag *ret)
{
	size_t shut = slice_find_nocase(p->rest, SLICE("}}"));
	struct slice inside = slice_take(p->rest, shut);
	struct tag tag = {.line = p->line};

	if (shut == p->rest.len)
		return fault(p, ERR_SYNTAX, "a tag that is not closed:", slice_take(inside, 20));
	p->rest = slice_skip(p->rest, shut + 2);
	if (inside.len && strchr("#^/>!&{", inside.ptr[0]) && inside.ptr[0]) {
		tag.sigil = inside.ptr[0];
		inside = slice_skip(inside, 1);
	}
	tag.name = slice_trim(inside);
	if (tag.sigil == '&' || tag.sigil == '{')
		return fault(p, ERR_SYNTAX, "unescaped output does not exist here:", tag.name);
	if (tag.sigil != '!' && !name_is_valid(tag.name))
		return fault(p, ERR_SYNTAX,
			"no name (letters, digits, _ - and dots between):", tag.name);
	p->line += lines_in(inside);
	*ret = tag;
	return true;
}

static struct node *node_new(struct parser *p, enum node_kind kind, struct slice text)
{
	struct node *n = arena_alloc(p->set->arena, sizeof *n);

	if (!n) {
		fault(p, ERR_LIMIT, "the templates are too large at", SLICE_EMPTY);
		return NULL;
	}
	n->kind = kind;
	n->line = p->line;
	n->text = text;
	return n;
}

static bool nodes_parse(
	struct parser *p, const struct node *opener, unsigned depth, struct node **ret);

/* A text to translate: as xgettext wrote it into the catalogue, so with blanks made one. */
static bool words_parse(struct parser *p, struct node *n)
{
	size_t end = slice_find_nocase(p->rest, SLICE("{{/_}}"));
	struct slice text = slice_take(p->rest, end);
	char key[WORDS_MAX];
	size_t len = 0;
	struct parser inner = {
		.set = p->set, .name = p->name, .line = p->line, .in_words = true, .err = p->err};
	struct slice translated;

	if (end == p->rest.len)
		return fault(p, ERR_SYNTAX, "not closed:", SLICE("#_"));
	for (size_t i = 0; i < text.len; i++) {
		bool blank = ascii_is_space(text.ptr[i]);

		if (blank && (len == 0 || key[len - 1] == ' '))
			continue;
		if (len + 1 == sizeof key || text.ptr[i] == '\0')
			return fault(
				p, ERR_LIMIT, "a text to translate that is too long:", SLICE("#_"));
		key[len++] = blank ? ' ' : text.ptr[i];
	}
	while (len && key[len - 1] == ' ')
		len--;
	if (!len)
		return fault(p, ERR_SYNTAX, "an empty text to translate:", SLICE("#_"));
	key[len] = '\0';
	translated = arena_copy(p->set->arena, slice_str(mo_text(p->set->mo, key)));
	if (arena_failed(p->set->arena))
		return fault(p, ERR_LIMIT, "the templates are too large at", SLICE("#_"));
	inner.rest = translated;
	inner.start = translated.ptr;
	if (!nodes_parse(&inner, NULL, 0, &n->child))
		return false;
	p->line += lines_in(text);
	p->rest = slice_skip(p->rest, end + strlen("{{/_}}"));
	return true;
}

/* A tag that is alone on its line (nothing but blanks around it) takes the line with it, its end
 * included: before points to the literal in front of it. */
static void cut_lone_line(struct parser *p, struct slice *before)
{
	size_t blanks = 0, after = 0;
	const char *left;

	while (blanks < before->len && ascii_is_blank(before->ptr[before->len - 1 - blanks]))
		blanks++;
	left = before->ptr + before->len - blanks;
	if (left != p->start && left[-1] != '\n')
		return;
	while (after < p->rest.len && ascii_is_blank(p->rest.ptr[after]))
		after++;
	if (after == p->rest.len || p->rest.ptr[after] != '\n')
		return;
	before->len -= blanks;
	p->rest = slice_skip(p->rest, after + 1);
	p->line++;
}

static bool tag_to_node(struct parser *p, const struct tag *tag, unsigned depth, struct node **ret)
{
	enum node_kind kind = tag->sigil == '#'	  ? NODE_SECTION
			      : tag->sigil == '^' ? NODE_INVERTED
			      : tag->sigil == '>' ? NODE_PARTIAL
						  : NODE_VALUE;
	struct node *n;

	if (p->in_words && kind != NODE_VALUE)
		return fault(
			p, ERR_SYNTAX, "only values may stand in a text to translate:", tag->name);
	if (kind == NODE_SECTION && slice_eq(tag->name, SLICE("_")))
		kind = NODE_WORDS;
	n = node_new(p, kind, tag->name);
	if (!n)
		return false;
	n->line = tag->line;
	*ret = n;
	if (kind == NODE_WORDS)
		return words_parse(p, n);
	if (kind != NODE_SECTION && kind != NODE_INVERTED)
		return true;
	if (depth == TEMPLATE_NESTING_MAX)
		return fault(p, ERR_LIMIT, "sections nested too deep:", tag->name);
	return nodes_parse(p, n, depth + 1, &n->child);
}

/* Until what closes the opener, or until the end without one. */
static bool nodes_parse(
	struct parser *p, const struct node *opener, unsigned depth, struct node **ret)
{
	struct node **tail = ret;

	*ret = NULL;
	for (;;) {
		size_t open = slice_find_nocase(p->rest, SLICE("{{"));
		struct slice before = slice_take(p->rest, open);
		bool found = open < p->rest.len;
		struct tag tag = {0};
		struct node *text;

		p->rest = slice_skip(p->rest, found ? open + 2 : open);
		p->line += lines_in(before);
		if (found && !tag_parse(p, &tag))
			return false;
		if (found && tag.sigil && !slice_eq(tag.name, SLICE("_")))
			cut_lone_line(p, &before);
		if (before.len) {
			if (!(text = node_new(p, NODE_TEXT, before)))
				return false;
			*tail = text;
			tail = &text->next;
		}
		if (!found) {
			if (!opener)
				return true;
			p->line = opener->line;
			return fault(p, ERR_SYNTAX, "a section that is not closed:", opener->text);
		}
		if (tag.sigil == '!')
			continue;
		if (tag.sigil == '/') {
			if (opener && slice_eq(tag.name, opener->text))
				return true;
			return fault(p, ERR_SYNTAX, "closes what is not open:", tag.name);
		}
		if (!tag_to_node(p, &tag, depth, tail))
			return false;
		tail = &(*tail)->next;
	}
}

struct template *template_find(const struct template_set *set, struct slice name)
{
	for (struct template *t = set->first; t; t = t->next)
		if (slice_eq(slice_str(t->name), name))
			return t;
	return NULL;
}

struct template_set *template_set_new(const struct mo *mo)
{
	struct template_set *set = mem_new(1, sizeof *set);

	set->mo = mo;
	set->arena = arena_new(SET_BYTES_MAX);
	return set;
}

struct template_set *template_set_free(struct template_set *set)
{
	if (set) {
		arena_free(set->arena);
		free(set);
	}
	return NULL;
}

bool template_set_add(
	struct template_set *set, const char *name, struct slice text, struct err *err)
{
	struct parser p = {
		.set = set, .name = name, .start = text.ptr, .rest = text, .line = 1, .err = err};
	struct template *t;

	if (text.len > TEMPLATE_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%s: a template of more than %zu bytes", name,
			TEMPLATE_BYTES_MAX);
	t = arena_alloc(set->arena, sizeof *t);
	if (!t || !slice_copy(slice_str(name), t->name, sizeof t->name))
		return err_set(err, ERR_LIMIT, "%s: too many templates, or a name too long", name);
	if (template_find(set, slice_str(name)))
		return err_set(
			err, ERR_SYNTAX, "%s: a template of this name is there already", name);
	if (!nodes_parse(&p, NULL, 0, &t->first))
		return false;
	t->next = set->first;
	set->first = t;
	return true;
}

static bool template_link(struct template_set *set, struct template *t, struct err *err);

static bool nodes_link(struct template_set *set, struct template *t, struct node *n, unsigned depth,
	struct err *err)
{
	for (; n; n = n->next) {
		struct template *partial = NULL;

		if (n->kind == NODE_PARTIAL) {
			partial = template_find(set, n->text);
			if (!partial)
				return err_set(err, ERR_MISSING,
					"%s:%u: there is no template {{>%.*s}}", t->name, n->line,
					SLICE_FMT(n->text));
			if (!template_link(set, partial, err))
				return err_prefix(err, "%s:%u: ", t->name, n->line);
			n->partial = partial;
		} else if (!nodes_link(set, t, n->child, depth + 1, err)) {
			return false;
		}
		t->depth = MAX(t->depth, depth + (partial ? partial->depth : 0));
		if (t->depth > TEMPLATE_NESTING_MAX)
			return err_set(err, ERR_LIMIT,
				"%s:%u: sections and partials nested too deep", t->name, n->line);
	}
	return true;
}

static bool template_link(struct template_set *set, struct template *t, struct err *err)
{
	if (t->open)
		return err_set(err, ERR_SYNTAX, "%s: a template within itself", t->name);
	if (t->depth)
		return true;
	t->open = true;
	if (!nodes_link(set, t, t->first, 1, err))
		return false;
	t->open = false;
	return true;
}

bool template_set_link(struct template_set *set, struct err *err)
{
	for (struct template *t = set->first; t; t = t->next)
		if (!template_link(set, t, err))
			return false;
	return true;
}
