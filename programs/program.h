/* program.h - what the main() of every daemon has in common: options, configuration, the last error. */
#pragma once

#include "base/err.h"
#include "config/config.h"

struct program {
	const char *name; /* "dnsd": the program is sekisho-dnsd */
	const char *help; /* a sentence or two for --help, each ended by a newline */
	/* Opens all that needs rights, gives them up, serves until a signal. */
	bool (*run)(const struct config *config, struct err *err);
};

/* Exit status: 0 ended as told, 1 could not start or go on, 2 wrong call or configuration. */
int program_main(const struct program *p, int argc, char **argv);
