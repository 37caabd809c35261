/* common.h - what all programs of this folder need. */
#pragma once

double seconds_now(void); /* of a clock that only goes forward */
/* With the system's error, and the end. */
_Noreturn void fail(const char *what);
