/* fuzz_reason.c - whatever a store holds as a reason becomes one that can be stored and read again. */
#include "ledger/reason.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason r = reason_load(slice_of(data, size)), again;
	struct reason_stored stored = reason_store(&r);
	const char *name;
	int64_t a, b;

	check(strlen(stored.s) + 1 < sizeof stored.s); /* nothing was cut off */
	again = reason_load(slice_str(stored.s));
	check(again.code == r.code && strcmp(again.text, r.text) == 0);
	for (size_t n = 0; reason_number(&r, n, &name, &a); n++)
		check(a >= 0 && reason_number(&again, n, &name, &b) && a == b);
	return 0;
}
