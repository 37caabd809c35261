/* pause.h - long work lets others go first: pure code says where it could pause, and whoever runs it in a thread
 * of less weight has said what happens then. */
#pragma once

#include <stddef.h>

/* Of the calling thread. NULL: nothing happens. io/task.h sets it. */
extern _Thread_local void (*pause_fn)(void);

/* Between pieces of some 0.1 ms. */
static inline void pause_here(void)
{
	if (pause_fn)
		pause_fn();
}

/* The same in a loop over i: at one of so many turns, a power of two. */
static inline void pause_every(size_t turns, size_t i)
{
	if ((i & (turns - 1)) == turns - 1)
		pause_here();
}
