/* fuzz_webd_template.c - whatever the template says, no value brings a '<' or a quote into the page
 * that the template did not write itself. */
#include "webd/template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char VALUES[] =
	"{\"a\":\"<&>\\\"'\\u0000\\u202e\",\"b\":[{\"a\":\"'<'\",\"c\":[1,2]},{\"c\":\"<\"}],"
	"\"c\":{\"d\":\"<\",\"e\":null},\"n\":3,\"t\":true,\"_\":\"<\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	struct template_set *set = template_set_new(NULL);
	struct buf out = BUF_INIT(65536);
	json_t *values = json_loads(VALUES, JSON_ALLOW_NUL, NULL);
	struct err err = {0};

	if (!values)
		abort();
	if (template_set_add(set, "part", SLICE("({{a}}{{#b}}{{c.d}}{{/b}})"), &err)
		&& template_set_add(set, "t", text, &err) && template_set_link(set, &err)) {
		template_render(set, "t", values, &out);
		for (const char *c = "<>\"'"; *c; c++)
			if (slice_find(text, *c) == text.len
				&& slice_find(buf_slice(&out), *c) < out.len)
				abort();
	} else if (err.kind == ERR_NONE || !err.text[0]) {
		abort();
	}
	buf_done(&out);
	json_decref(values);
	template_set_free(set);
	return 0;
}
