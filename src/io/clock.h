/* clock.h - the only place that reads the clock. Everything below the roles takes time as an argument. */
#pragma once

#include <stdint.h>

int64_t clock_unix_ms(void); /* wall time since 1970 */
int64_t clock_mono_ms(void); /* never goes back; for deadlines */
