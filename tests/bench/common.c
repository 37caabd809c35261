/* common.c - what all programs of this folder need. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void fail(const char *what)
{
	perror(what);
	exit(2);
}
