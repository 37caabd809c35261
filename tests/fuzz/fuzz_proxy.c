/* fuzz_proxy.c - the PROXY v2 header: a decision, once made, does not change with more bytes, and no
 * byte behind the header is needed for it. */
#include "base/mem.h"
#include "smtp/proxy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum proxy_result parse_copy(const uint8_t *data, size_t size, struct proxy_header *h)
{
	char *copy = malloc(size ? size : 1); /* exact size: a byte too far is seen */
	enum proxy_result r;
	struct err err;

	if (size)
		memcpy(copy, data, size);
	r = proxy_parse(slice_of(copy, size), h, &err);
	free(copy);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header h = {0}, h2 = {0};
	enum proxy_result r = parse_copy(data, size, &h);

	if (r == PROXY_DONE) {
		if (h.size < 16 || h.size > size || h.size > PROXY_MAX)
			abort();
		if (h.local != (h.source.family == 0))
			abort();
		if (parse_copy(data, h.size, &h2) != PROXY_DONE || h2.size != h.size
			|| !ip_eq(&h.source, &h2.source))
			abort();
		if (parse_copy(data, h.size - 1, &h2) != PROXY_MORE)
			abort();
	}
	if (r == PROXY_MORE && size >= PROXY_MAX)
		abort();
	return 0;
}
