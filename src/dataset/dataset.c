/* dataset.c - reads the files of one data set line by line and, at the end, completes its sets. */
#include "dataset/dataset.h"
#include "base/mem.h"
#include "dataset/parts.h"
#include "index/access.h"

#include <stdarg.h>

static const char *const type_names[] = {
	[DATASET_IP4SET] = "ip4set",
	[DATASET_IP4TRIE] = "ip4trie",
	[DATASET_IP4TSET] = "ip4tset",
	[DATASET_IP6TRIE] = "ip6trie",
	[DATASET_IP6TSET] = "ip6tset",
	[DATASET_DNSET] = "dnset",
	[DATASET_GENERIC] = "generic",
	[DATASET_COMBINED] = "combined",
	[DATASET_ACL] = "acl",
	[DATASET_ACLKEY] = "aclkey",
};

const char *dataset_type_name(enum dataset_type t)
{
	return type_names[t];
}

bool dataset_type_named(struct slice name, enum dataset_type *ret)
{
	if (slice_eq(name, SLICE("dnhash"))) {
		*ret = DATASET_DNSET;
		return true;
	}
	for (size_t t = 0; t < ARRAY_LEN(type_names); t++) {
		if (slice_eq(name, slice_str(type_names[t]))) {
			*ret = (enum dataset_type)t;
			return true;
		}
	}
	return false;
}

bool dataset_spec_parse(
	struct slice text, bool with_zone, struct dataset_spec *ret, struct err *err)
{
	struct dataset_spec spec = {.zone = SLICE_EMPTY};
	struct slice rest = text, type, files, file;

	if (with_zone && (slice_find(rest, ':') == rest.len || !slice_cut(&rest, ':', &spec.zone)))
		return err_set(
			err, ERR_SYNTAX, "'%.*s': expected zone:type:file,file", SLICE_FMT(text));
	if (slice_find(rest, ':') == rest.len || !slice_cut(&rest, ':', &type))
		return err_set(err, ERR_SYNTAX, "'%.*s': expected type:file,file", SLICE_FMT(text));
	if (!dataset_type_named(type, &spec.type))
		return err_set(err, ERR_SYNTAX,
			"'%.*s' is no data set type; known are ip4set ip4trie ip4tset ip6trie "
			"ip6tset dnset dnhash generic combined acl aclkey",
			(int)MIN(type.len, 40), type.ptr);
	spec.files = files = rest;
	while (slice_cut(&files, ',', &file))
		if (!file.len)
			return err_set(
				err, ERR_SYNTAX, "'%.*s': a file name is missing", SLICE_FMT(text));
	*ret = spec;
	return true;
}

/* How rbldnsd searches each type. */
static struct set_meta meta_of_type(enum dataset_type type)
{
	struct set_meta m;

	switch (type) {
	case DATASET_IP4SET:
		return meta_plain(SET_IP, SET_OCTETS, 0);
	case DATASET_IP4TRIE:
	case DATASET_IP4TSET:
		return meta_plain(SET_IP, SET_FIRST, 0);
	case DATASET_IP6TRIE:
	case DATASET_IP6TSET:
		m = meta_plain(SET_IP, SET_FIRST, 0);
		m.reads_ip4 = false;
		return m;
	case DATASET_DNSET:
		return meta_plain(SET_NAME, SET_ALL, 0);
	case DATASET_GENERIC:
		return meta_plain(SET_RECORDS, SET_FIRST, 0);
	case DATASET_ACL:
		return meta_plain(SET_ACCESS, SET_FIRST, 0);
	case DATASET_ACLKEY:
		return meta_plain(SET_KEYS, SET_FIRST, 0);
	case DATASET_COMBINED:
		break;
	}
	return meta_plain(SET_NONE, SET_FIRST, 0);
}

struct unit *dataset_unit_add(struct dataset *d, enum dataset_type type)
{
	const struct unit *top;
	struct unit *u;

	if (d->unit_count == d->unit_cap) {
		d->unit_cap = d->unit_cap ? d->unit_cap * 2 : 1;
		d->units = mem_resize(d->units, d->unit_cap * sizeof *d->units);
	}
	u = &d->units[d->unit_count++];
	*u = (struct unit){
		.type = type,
		.meta = meta_of_type(type),
		.places = BUF_INIT(META_SIZE_MAX),
		.ttl_s = d->options.ttl_s,
		.default_text = BUF_INIT(TEXT_RAW_MAX),
	};
	u->set = builder_set_new(d->builder, d->name, &u->meta);
	unit_default_set(u, DEFAULT_CODE, SLICE_EMPTY);
	if (d->unit_count == 1)
		return u;
	top = dataset_top(d); /* a section begins with what the whole has said so far */
	u->ttl_s = top->ttl_s;
	for (size_t i = 0; i < SUBSTITUTES; i++)
		u->subst[i] = mem_str(top->subst[i]);
	return u;
}

struct dataset *dataset_new(struct builder *b, enum dataset_type type, struct slice name,
	const struct dataset_options *options)
{
	struct dataset *d = mem_new(1, sizeof *d);

	d->builder = b;
	d->name = slice_str(mem_str_len(name.ptr, name.len));
	d->options = *options;
	if (!d->options.ttl_s)
		d->options.ttl_s = 2100;
	d->warnings = BUF_INIT(DATASET_WARNINGS_MAX * 512);
	dataset_unit_add(d, type);
	return d;
}

struct dataset *dataset_free(struct dataset *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->unit_count; i++) {
		struct unit *u = &d->units[i];

		for (size_t k = 0; k < SUBSTITUTES; k++)
			free(u->subst[k]);
		records_free(u->records);
		buf_done(&u->places);
		buf_done(&u->default_text);
	}
	free(d->units);
	free((char *)d->name.ptr);
	buf_done(&d->warnings);
	pieces_free(d->pieces);
	free(d);
	return NULL;
}

void dataset_warn(struct dataset *d, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (++d->warning_count > DATASET_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_addf(&d->warnings, "%.*s:%llu: %s\n", (int)MIN(d->file.len, 255), d->file.ptr,
		(unsigned long long)d->line, text);
}

struct slice dataset_warnings(const struct dataset *d)
{
	return buf_slice(&d->warnings);
}

size_t dataset_warning_count(const struct dataset *d)
{
	return d->warning_count;
}

/* The line as C strings and rbldnsd see it: up to a NUL, without blanks around it. */
static struct slice line_trim(struct slice line)
{
	const char *nul = line.len ? memchr(line.ptr, 0, line.len) : NULL;

	while (line.len && ascii_is_blank(line.ptr[line.len - 1]))
		line.len--;
	if (nul && (size_t)(nul - line.ptr) < line.len)
		line.len = (size_t)(nul - line.ptr);
	return skip_blanks(line);
}

static struct unit *unit_now(struct dataset *d)
{
	return d->in_section ? dataset_scope(d) : dataset_top(d);
}

static bool other_line(struct dataset *d, struct slice line, struct err *err)
{
	if (line.len > LINE_MAX_BYTES) {
		dataset_warn(d, "line cut to %d bytes", LINE_MAX_BYTES);
		line = slice_take(line, LINE_MAX_BYTES);
	}
	/* What a file system may leave of a file after a power loss; rbldnsd takes it for an empty line. */
	if (line.len && !line.ptr[0])
		return err_set(err, ERR_CORRUPT, "%.*s:%llu: zero bytes where text should be",
			SLICE_FMT(d->file), (unsigned long long)d->line);
	line = line_trim(line);
	if (!line.len)
		return true;
	if (line.ptr[0] == '$'
		|| (line.len > 1 && line.ptr[1] == '$'
			&& (is_comment(line.ptr[0]) || line.ptr[0] == ':'))) {
		if (!special_line(d, slice_skip(line, line.ptr[0] == '$' ? 1 : 2), err))
			return false;
		d->in_section = d->unit_count > 1;
		return true;
	}
	if (is_comment(line.ptr[0]))
		return true;
	return entry_line(d, unit_now(d), line, err);
}

bool dataset_addresses(struct dataset *d, const uint32_t *addresses, size_t count)
{
	struct unit *u = unit_now(d);

	if (u->type > DATASET_IP4TSET)
		return false;
	builder_add_ip4s(
		u->set, addresses, count, u->type == DATASET_IP4TSET ? 0 : unit_default(u));
	d->line += count;
	return true;
}

static bool one_line(struct dataset *d, struct slice line, struct err *err)
{
	uint32_t address;

	if (entry_plain_quad(line, &address) && dataset_addresses(d, &address, 1))
		return true;
	d->line++;
	return other_line(d, line, err);
}

bool dataset_lines(struct dataset *d, struct slice text, struct err *err)
{
	while (text.len) {
		size_t n = slice_find(text, '\n');

		if (!one_line(d, slice_take(text, n), err))
			return false;
		text = slice_skip(text, n + 1);
	}
	return true;
}

bool dataset_file_begin(
	struct dataset *d, struct slice file_name, int64_t changed_s, struct err *err)
{
	struct unit *top = dataset_top(d);
	bool first_counts = top->type == DATASET_IP4TSET || top->type == DATASET_IP6TSET;

	if (file_name.len >= sizeof d->file_name)
		return err_set(err, ERR_LIMIT, "a file name longer than %zu bytes",
			sizeof d->file_name - 1);
	memcpy(d->file_name, file_name.ptr, file_name.len);
	d->file = slice_of(d->file_name, file_name.len);
	d->line = 0;
	d->in_section = d->in_long_line = false;
	d->stamp_s = MAX(d->stamp_s, changed_s);
	/* rbldnsd starts each file with its own default, but where the first default line rules. */
	if (top->type == DATASET_ACL || top->type == DATASET_ACLKEY)
		access_default_restart(top);
	else if (!first_counts || !top->has_default)
		unit_default_set(top, DEFAULT_CODE, SLICE_EMPTY);
	return true;
}

/* The end of a line that began in an earlier part and was read as far as it counts. */
static struct slice skip_long_line(struct dataset *d, struct slice rest)
{
	size_t end = slice_find(rest, '\n');

	d->in_long_line = end == rest.len;
	return slice_skip(rest, end + 1);
}

bool dataset_file_part(
	struct dataset *d, struct slice part, bool last, size_t *ret_used, struct err *err)
{
	struct slice rest = part;
	size_t taken;

	if (d->line == 0 && slice_starts(part, SLICE("\x1f\x8b")))
		return err_set(err, ERR_SYNTAX, "%.*s: is compressed; decompress it first",
			SLICE_FMT(d->file));
	if (d->in_long_line)
		rest = skip_long_line(d, rest);
	if (dataset_top(d)->type <= DATASET_IP4TSET || dataset_top(d)->type == DATASET_COMBINED) {
		if (!pieces_take(d, rest, &taken, err))
			return false;
		rest = slice_skip(rest, taken);
	}
	while (rest.len) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		struct slice line = slice_of(rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len);

		if (!end && !last && line.len <= LINE_MAX_BYTES)
			break; /* its end comes with the next part */
		if (!one_line(d, line, err))
			return false;
		d->in_long_line = !end && !last;
		rest = slice_skip(rest, line.len + 1);
	}
	*ret_used = part.len - rest.len;
	return true;
}

bool dataset_file(struct dataset *d, struct slice file_name, struct slice text, int64_t changed_s,
	struct err *err)
{
	size_t used;

	return dataset_file_begin(d, file_name, changed_s, err)
	       && dataset_file_part(d, text, true, &used, err);
}

/* Templates get their variables, which may stand behind the entries that use them. */
static void complete_templates(struct unit *u)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VALUE_TEMPLATE_MAX);
	size_t count = builder_value_count(u->set);

	for (size_t id = 0; id < count; id++) {
		struct slice raw = builder_value_at(u->set, (uint32_t)id).text;

		if (template_is_complete(raw, u->subst) || access_is_action(raw))
			continue;
		buf_reset(&text);
		template_complete(raw, u->subst, &text);
		if (!slice_eq(buf_slice(&text), raw))
			builder_value_retext(u->set, (uint32_t)id, buf_slice(&text));
	}
}

static void unit_finish(struct dataset *d, struct unit *u)
{
	if (u->type == DATASET_IP4TSET || u->type == DATASET_IP6TSET)
		builder_value(u->set, u->default_code, buf_slice(&u->default_text));
	if (u->type == DATASET_ACLKEY)
		access_finish(u);
	if (u->type == DATASET_GENERIC)
		records_finish(d, u);
	else
		complete_templates(u);
	u->meta.ttl_s = u->ttl_s;
	u->meta.stamp_s = d->stamp_s;
	if (u != dataset_top(d))
		u->meta.places = buf_slice(&u->places);
	builder_set_meta(u->set, &u->meta);
}

bool dataset_finish(struct dataset *d, struct err *err)
{
	for (size_t i = 0; i < d->unit_count; i++) {
		if (d->units[i].places.failed)
			return err_set(err, ERR_LIMIT, "%.*s: too many places in one $DATASET",
				SLICE_FMT(d->file));
		unit_finish(d, &d->units[i]);
	}
	return true;
}
