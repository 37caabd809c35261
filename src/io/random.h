/* random.h - bytes nobody can guess (getrandom(2)). */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *dst, size_t len);
uint32_t random_below(uint32_t bound); /* uniform in 0..bound-1 */
