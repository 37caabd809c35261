/* fuzz_mail_header.c - header blocks, encoded words, parameters, addresses: slices stay inside, text that
 * comes out is valid UTF-8 on one line. */
#include "mail/charset.h"
#include "mail/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_in(struct slice inner, struct slice outer)
{
	if (inner.len && (inner.ptr < outer.ptr || inner.ptr + inner.len > outer.ptr + outer.len))
		abort();
}

static void must_be_line(const struct buf *b)
{
	if (!utf8_is_valid(buf_slice(b)))
		abort();
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->ptr[i] < ' ')
			abort();
}

static void try_value(struct slice value)
{
	struct buf out = BUF_INIT(HEADER_MAX_VALUE);
	struct slice rest = value, address;
	size_t before = rest.len;

	header_decode(value, &out);
	must_be_line(&out);
	buf_reset(&out);
	if (header_param(value, "name", &out) && !utf8_is_valid(buf_slice(&out)))
		abort();
	must_lie_in(header_main(value), value);
	while (address_next(&rest, &address)) {
		must_lie_in(address, value);
		must_lie_in(address_local(address), address);
		must_lie_in(address_domain(address), address);
		if (rest.len >= before && before)
			abort(); /* no progress */
		before = rest.len;
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of(data, size), head, body;
	struct header_iter it;
	struct header h;
	struct buf text = BUF_INIT((size_t)1 << 20);

	header_split(all, &head, &body);
	must_lie_in(head, all);
	must_lie_in(body, all);
	it = header_iter_of(head);
	while (header_next(&it, &h)) {
		must_lie_in(h.name, head);
		must_lie_in(h.value, h.raw);
		must_lie_in(h.raw, head);
		if (h.name.len == 0)
			abort();
		try_value(h.value);
	}
	try_value(all);
	if (size > 1) {
		size_t n = slice_find(all, '\n');

		charset_to_utf8(slice_take(all, MIN(n, 30)), slice_skip(all, n), &text);
		if (!utf8_is_valid(buf_slice(&text)))
			abort();
	}
	buf_done(&text);
	return 0;
}
