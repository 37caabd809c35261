/* pause.c - what a pause is, for each thread. */
#include "base/pause.h"

_Thread_local void (*pause_fn)(void);
