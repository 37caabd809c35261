/* fuzz_policy.c - policy requests: what is read lies within what was given, and an answer is one line. */
#include "mta/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = BUF_INIT((size_t)1 << 20);
	struct slice rest = slice_of(data, size);
	struct policy_request r;
	size_t used;

	while (policy_read(rest, &r, &used, NULL) == POLICY_READY) {
		if (used < 2 || used > rest.len)
			abort();
		buf_reset(&out);
		policy_write(&out, r.recipient);
		if (out.len != r.recipient.len + 9
			|| slice_find(buf_slice(&out), '\n') != out.len - 2)
			abort();
		rest = slice_skip(rest, used);
	}
	return 0;
}
