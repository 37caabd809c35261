/* webd.c - sekisho-webd is the portal. */
#include "webd/webd.h"
#include "base/log.h"
#include "io/daemon.h"
#include "io/sandbox.h"
#include "program.h"

#include <signal.h>

static void stop(void *loop)
{
	loop_stop(loop);
}

static bool run(const struct config *config, struct err *err)
{
	struct sandbox_needs needs = {.user = config->webd.user, .connects = true};
	struct loop *loop = loop_new();
	struct webd *w;
	bool ok;

	loop_on_signal(loop, SIGTERM, stop, loop);
	loop_on_signal(loop, SIGINT, stop, loop);
	w = webd_open(loop, config, err);
	daemon_notify_open();
	ok = w && sandbox_enter(&needs, err);
	if (ok) {
		log_event(LOG_NOTE, "web.ready", "listen=%s port=%u", config->webd.listen,
			webd_port(w));
		daemon_ready();
		loop_run(loop);
	}
	webd_free(w);
	loop_free(loop);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct program webd = {"webd",
		"The portal: why an address is listed, and how to leave. HTTP, behind a TLS proxy. "
		"SIGTERM\n"
		"ends it.\n",
		run};

	return program_main(&webd, argc, argv);
}
