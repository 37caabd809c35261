/* fuzz_webd_input.c - forms, addresses, queries and preferences from strangers: what is accepted is UTF-8 without
 * NUL and comes back the same after encoding. */
#include "webd/form.h"
#include "webd/negotiate.h"
#include "webd/request.h"
#include "webd/view.h"

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

/* What a query names is found again by its canonical text. */
static void check_query(struct slice text)
{
	struct subject subject, again;

	if (query_parse(text, &subject, NULL)
		&& (!query_parse(slice_str(subject.text), &again, NULL)
			|| strcmp(subject.text, again.text) != 0))
		abort();
}

static void check_request(struct slice text)
{
	struct prefix loopback = {ip4_of(0x7f000000), 8};
	struct prefixes trusted = {&loopback, 1};
	struct ip peer = ip4_of(0x7f000001);
	struct request r = {.accept = text, .origin = text, .host = text, .content_type = text};

	if (request_parse_target(&r, text, NULL) && (!utf8_valid(r.path) || r.path.ptr[0] != '/'))
		abort();
	request_is_ours(&r, "https://bl.example");
	request_has_type(&r, "application/json");
	request_client(&peer, text, &trusted);
	request_done(&r);
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
	check_query(text);
	check_request(text);
	return 0;
}
