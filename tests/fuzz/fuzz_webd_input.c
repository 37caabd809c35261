/* fuzz_webd_input.c - forms, paths and preferences from strangers: what is accepted is UTF-8 without
 * NUL and comes back the same after encoding. */
#include "webd/form.h"
#include "webd/negotiate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(struct slice value)
{
	struct buf encoded = BUF_INIT(3 * FORM_BYTES_MAX), decoded = BUF_INIT(FORM_BYTES_MAX);

	form_encode(value, &encoded);
	if (encoded.failed || !form_decode(buf_slice(&encoded), true, &decoded, NULL)
		|| !slice_eq(buf_slice(&decoded), value) || !utf8_valid(value))
		abort();
	buf_done(&encoded);
	buf_done(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"en", "ja", "pt"};
	struct slice text = size ? slice_of(data, size) : SLICE_EMPTY;
	struct form form;
	struct err err = {0};

	if (form_parse(text, &form, &err)) {
		for (size_t i = 0; i < form.count; i++) {
			check_round_trip(form.fields[i].name);
			check_round_trip(form.fields[i].value);
		}
	} else if (err.kind == ERR_NONE) {
		abort();
	}
	form_done(&form);
	if (negotiate_language(text, tags, 3) > 2)
		abort();
	negotiate_json(text);
	return 0;
}
