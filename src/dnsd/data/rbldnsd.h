/* rbldnsd.h - rbldnsd's own command line (rbldnsd(8)), turned into our configuration. */
#pragma once

#include "config/config.h"

struct rbldnsd {
	struct config *config;
	char *pid_file; /* NULL: none */
	int facility;	/* of syslog, when in the background */
	bool foreground, help;
	struct buf words; /* options without a meaning here, for one line of the log; empty: none */
};

/* argv[0] is skipped. Resolves host names of -b. False with words in err, as a user of rbldnsd expects them;
 * rbldnsd_done() is due in any case. */
bool rbldnsd_parse(int argc, char **argv, struct rbldnsd *ret, struct err *err);
void rbldnsd_done(struct rbldnsd *r);
/* What rbldnsd -h says: every option, every type. */
void rbldnsd_help(FILE *to);
