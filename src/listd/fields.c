/* fields.c - takes a message's fields with their types and limits. */
#include "listd/fields.h"

struct fields fields_of(const json_t *message, struct err *err)
{
	return (struct fields){.message = message, .err = err};
}

static void fault(struct fields *f, const char *name, const char *what)
{
	if (!f->bad)
		err_set(f->err, ERR_SYNTAX, "'%s' %s", name, what);
	f->bad = true;
}

static const json_t *field(struct fields *f, const char *name, bool required)
{
	const json_t *v = json_object_get(f->message, name);

	if (v && json_is_null(v))
		v = NULL;
	if (!v && required)
		fault(f, name, "is missing");
	return v;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static struct slice text_of(struct fields *f, const char *name, bool required)
{
	const json_t *v = field(f, name, required);

	if (!v)
		return SLICE_EMPTY;
	if (!json_is_string(v)) {
		fault(f, name, "must be text");
		return SLICE_EMPTY;
	}
	return slice_of(json_string_value(v), json_string_length(v));
}

struct slice field_text(struct fields *f, const char *name, size_t max, bool required)
{
	struct slice s = text_of(f, name, required);

	if (s.len > max)
		fault(f, name, "is too long");
	else if (has_control(s))
		fault(f, name, "holds control characters");
	else if (s.len == 0 && required && !f->bad)
		fault(f, name, "is empty");
	return f->bad ? SLICE_EMPTY : s;
}

struct slice field_words(struct fields *f, const char *name, size_t max)
{
	struct slice s = text_of(f, name, false);

	if (s.len <= max)
		return s;
	/* Not inside a UTF-8 character: its followers are 10xxxxxx. */
	while (max > 0 && ((unsigned char)s.ptr[max] & 0xc0) == 0x80)
		max--;
	return slice_take(s, max);
}

const char *field_optional(struct fields *f, const char *name, size_t max)
{
	struct slice s = field_text(f, name, max, false);

	return s.len > 0 ? s.ptr : NULL;
}

int64_t field_number(struct fields *f, const char *name, int64_t min, int64_t max, int64_t absent)
{
	const json_t *v = field(f, name, false);

	if (!v)
		return absent;
	if (!json_is_integer(v)) {
		fault(f, name, "must be a whole number");
		return absent;
	}
	if (json_integer_value(v) < min || json_integer_value(v) > max) {
		fault(f, name, "is out of range");
		return absent;
	}
	return json_integer_value(v);
}

const json_t *field_array(struct fields *f, const char *name, size_t max, bool required)
{
	const json_t *v = field(f, name, required);

	if (v && !json_is_array(v)) {
		fault(f, name, "must be an array");
		return NULL;
	}
	if (v && json_array_size(v) > max) {
		fault(f, name, "has too many items");
		return NULL;
	}
	return v;
}
