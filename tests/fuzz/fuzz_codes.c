/* fuzz_codes.c - patterns of return codes: what is accepted matches only inside 127.0.0.0/8. */
#include "resolve/codes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct code_pattern p;

	if (!code_pattern_parse(slice_of(data, size), &p, NULL))
		return 0;
	if (p.weight < -1000 || p.weight > 1000)
		abort();
	if (code_pattern_matches(&p, 0x0a000002) || code_pattern_matches(&p, 0))
		abort();
	/* every octet holds at least one number */
	for (int i = 0; i < 4; i++)
		if (!(p.octets[i][0] | p.octets[i][1] | p.octets[i][2] | p.octets[i][3]))
			abort();
	return 0;
}
