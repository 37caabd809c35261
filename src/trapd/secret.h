/* secret.h - the key that names traps without telling them. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* Reads 32 hex digits from path; makes the file (mode 0600) when it is not there. The only file the trap
 * ever writes, and only before it gives up its rights. */
bool secret_load(const char *path, uint8_t ret_key[16], struct err *err);
