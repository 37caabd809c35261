/* prop.h - made-up inputs that can be repeated: PROP_SEED=n runs a failed round again. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct prop {
	uint64_t state;
};

static inline uint64_t prop_next(struct prop *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t prop_below(struct prop *p, uint32_t bound)
{
	return (uint32_t)(prop_next(p) % bound);
}

/* Prints the seed, which cmocka shows when the test fails. */
static inline struct prop prop_new(uint64_t round)
{
	const char *given = getenv("PROP_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 20261124 + round;

	return (struct prop){seed};
}
