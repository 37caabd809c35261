/* random.c - bytes nobody can guess. */
#include "io/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *dst, size_t len)
{
	unsigned char *p = dst;

	while (len) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0 && errno != EINTR)
			abort(); /* without randomness nothing here is safe */
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

uint32_t random_below(uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound, v;

	do
		random_bytes(&v, sizeof v);
	while (v >= limit);
	return v % bound;
}
