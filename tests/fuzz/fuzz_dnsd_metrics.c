/* fuzz_dnsd_metrics.c - any bytes as a request for metrics: the answer does not depend on what follows. */
#include "dnsd/see/metrics.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of(data, size);
	enum metrics_request first = METRICS_MORE;

	for (size_t n = 0; n <= size && size < 512 && first == METRICS_MORE; n++)
		first = metrics_request_parse(slice_take(all, n));
	if (size < 512 && first != metrics_request_parse(all))
		abort();
	return 0;
}
