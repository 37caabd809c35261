/* dnsd.c - sekisho-dnsd answers DNS. */
#include "dnsd/dnsd.h"
#include "program.h"

static bool run(const struct config *config, struct err *err)
{
	struct dnsd *d = dnsd_open(config, err);
	bool ok = d && dnsd_enter_sandbox(d, err) && dnsd_serve(d, err);

	dnsd_free(d);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct program dnsd = {"dnsd",
		"Answers DNS for this site's lists and for rbldnsd's files. SIGHUP reads all data "
		"files\n"
		"again, SIGUSR1 logs counters, SIGTERM ends it.\n",
		run};

	return program_main(&dnsd, argc, argv);
}
