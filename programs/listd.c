/* listd.c - sekisho-listd keeps the lists; the only writer. */
#include "listd/serve.h"
#include "program.h"

static bool run(const struct config *config, struct err *err)
{
	struct listd *l = listd_prepare(config, err);
	bool ok = l && listd_enter_sandbox(l, err) && listd_serve(l, err);

	listd_free(l);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct program listd = {"listd",
		"Keeps the lists: takes evidence and requests, decides, publishes. SIGTERM ends "
		"it.\n",
		run};

	return program_main(&listd, argc, argv);
}
