/* gated.c - sekisho-gated judges the clients of a mail server. */
#include "gated/gate.h"
#include "program.h"

static bool run(const struct config *config, struct err *err)
{
	struct gate *g = gate_open(config, err);
	bool ok = g && gate_enter_sandbox(g, err);

	if (ok)
		gate_serve(g);
	gate_free(g);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct program gated = {"gated",
		"Judges the clients of a mail server by DNS lists, through the milter and the "
		"Postfix policy\n"
		"protocols. SIGTERM ends it.\n",
		run};

	return program_main(&gated, argc, argv);
}
