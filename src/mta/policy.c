/* policy.c - Postfix policy requests in, actions out. Pure. */
#include "mta/policy.h"

#include <stddef.h>

static const struct {
	struct slice name;
	size_t offset;
} attributes[] = {
#define ATTRIBUTE(name)                                                                            \
	{                                                                                          \
		SLICE(#name), offsetof(struct policy_request, name)                                \
	}
	ATTRIBUTE(request),
	ATTRIBUTE(protocol_state),
	ATTRIBUTE(client_address),
	ATTRIBUTE(client_name),
	ATTRIBUTE(helo_name),
	ATTRIBUTE(sender),
	ATTRIBUTE(recipient),
	ATTRIBUTE(queue_id),
	ATTRIBUTE(instance),
	ATTRIBUTE(sasl_username),
#undef ATTRIBUTE
};

/* Postfix sends each name once; the first one stands, so that none can be overruled later on. */
static void request_set(struct policy_request *r, struct slice name, struct slice value)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		struct slice *at = (struct slice *)((char *)r + attributes[i].offset);

		if (slice_eq(name, attributes[i].name) && !at->ptr)
			*at = value;
	}
}

static void request_fill(struct policy_request *r)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		struct slice *at = (struct slice *)((char *)r + attributes[i].offset);

		if (!at->ptr)
			*at = SLICE_EMPTY;
	}
}

/* Length with the empty line, 0 when there is none yet. */
static size_t request_length(struct slice bytes)
{
	const char *at = bytes.ptr, *end = bytes.ptr + bytes.len, *newline;

	if (bytes.len > 0 && bytes.ptr[0] == '\n')
		return 1;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		at = newline + 1;
		if (at < end && *at == '\n')
			return (size_t)(at + 1 - bytes.ptr);
	}
	return 0;
}

static enum policy_status policy_bad(struct err *err, enum err_kind kind, const char *why)
{
	err_set(err, kind, "policy request: %s", why);
	return POLICY_BAD;
}

enum policy_status policy_read(
	struct slice bytes, struct policy_request *ret, size_t *ret_used, struct err *err)
{
	struct policy_request r = {0};
	size_t length = request_length(slice_take(bytes, POLICY_REQUEST_MAX));
	struct slice lines = slice_take(bytes, length ? length - 1 : 0), line;
	size_t count = 0;

	if (length == 0 && bytes.len >= POLICY_REQUEST_MAX)
		return policy_bad(err, ERR_LIMIT, "no end within 16 KiB");
	if (length == 0)
		return POLICY_MORE;
	if (memchr(lines.ptr, 0, lines.len))
		return policy_bad(err, ERR_SYNTAX, "a NUL byte in it");
	while (slice_cut_line(&lines, &line)) {
		size_t equals = slice_find(line, '=');

		if (equals == 0 || equals == line.len)
			return policy_bad(err, ERR_SYNTAX, "a line is not name=value");
		if (++count > POLICY_ATTRIBUTES_MAX)
			return policy_bad(err, ERR_LIMIT, "more than 100 attributes");
		request_set(&r, slice_take(line, equals), slice_skip(line, equals + 1));
	}
	request_fill(&r);
	if (!slice_eq(r.request, SLICE("smtpd_access_policy")))
		return policy_bad(err, ERR_SYNTAX, "it does not say request=smtpd_access_policy");
	*ret = r;
	*ret_used = length;
	return POLICY_READY;
}

void policy_write(struct buf *out, struct slice action)
{
	buf_add_str(out, "action=");
	for (size_t i = 0; i < action.len; i++)
		buf_add_char(
			out, action.ptr[i] >= ' ' && action.ptr[i] <= '~' ? action.ptr[i] : '?');
	buf_add_str(out, "\n\n");
}
