/* fuzz_webd_mo.c - a message catalogue with anything in it: refused, or every look-up gives a text. */
#include "webd/mo.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct mo *mo = mo_new(slice_of(data, size), &err);

	if (!mo && err.kind == ERR_NONE)
		abort();
	/* strlen() walks to the NUL that mo_new() promised. */
	if (strlen(mo_text(mo, "list")) > size + 4
		|| strlen(mo_plural(mo, "day", "days", 2)) > size + 4
		|| strlen(mo_text(mo, "a")) > size + 4)
		abort();
	mo_free(mo);
	return 0;
}
