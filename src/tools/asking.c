/* asking.c - what the subcommands that ask a daemon have in common. */
#include "tools/asking.h"

#include "base/attr.h"
#include "base/buf.h"

#include <stdio.h>

struct config *config_or_tell(const char *path)
{
	_cleanup_buf_ struct buf faults = BUF_INIT((size_t)1 << 20);
	struct config *config = config_load(path, &faults);

	if (!config)
		fputs(buf_str(&faults), stderr);
	return config;
}

struct slice reply_text(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) ? slice_of(json_string_value(v), json_string_length(v))
				 : SLICE_EMPTY;
}

int64_t reply_number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}
