/* mem.h - allocation that cannot fail: out of memory ends the process, its supervisor restarts it.
 * For memory whose size a stranger chooses, use a buf or an arena: those have limits. */
#pragma once

#include <stddef.h>

void *mem_new(size_t count, size_t size); /* zeroed */
void *mem_resize(void *ptr, size_t size);
char *mem_str(const char *s);		      /* a copy; NULL gives NULL */
char *mem_str_len(const char *s, size_t len); /* a NUL-terminated copy */
