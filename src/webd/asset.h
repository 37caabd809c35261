/* asset.h - the files of web/ and the catalogues of po/, built into the program: a portal that needs
 * no file at run time cannot lose one, and its sandbox opens none. */
#pragma once

#include "base/slice.h"

struct asset {
	const char *name; /* "home.html", "ja.mo" */
	struct slice bytes;
};

extern const struct asset assets[]; /* ended by a NULL name */
