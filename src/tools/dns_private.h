/* dns_private.h - shared by `sekisho dns` and `sekisho top`: asking dnsd. */
#pragma once

#include "base/slice.h"
#include "config/config.h"
#include "tools/asking.h"

#include <jansson.h>

int dns_key_main(int argc, char **argv);
int dns_ds_main(int argc, char **argv);
int dns_status_main(int argc, char **argv);

/* The descriptor of dnsd's socket, or -1 after telling on stderr; command: who tells. */
int dns_connect(const char *command, const struct config *config);

/* Counts as people read them: 12,345,678. */
struct dns_count {
	char s[32];
} dns_count(int64_t n);
