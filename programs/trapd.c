/* trapd.c - sekisho-trapd takes spam. */
#include "trapd/trapd.h"
#include "program.h"

static bool run(const struct config *config, struct err *err)
{
	struct trapd *t = trapd_open(config, err);
	bool ok = t && trapd_enter_sandbox(t, err);

	if (ok)
		trapd_serve(t);
	trapd_free(t);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct program trapd = {"trapd",
		"Takes spam for traps and tells sekisho-listd what it saw. SIGTERM ends it: mails "
		"under way\n"
		"get their answer first.\n",
		run};

	return program_main(&trapd, argc, argv);
}
