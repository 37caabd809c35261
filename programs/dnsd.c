/* dnsd.c - sekisho-dnsd answers DNS. */
#include "dnsd/dnsd.h"
#include "base/log.h"
#include "dnsd/data/rbldnsd.h"
#include "io/daemon.h"
#include "program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool run(const struct config *config, struct err *err)
{
	struct dnsd *d = dnsd_open(config, err);
	bool ok = d && dnsd_enter_sandbox(d, err) && dnsd_serve(d, err);

	dnsd_free(d);
	return ok;
}

/* As rbldnsd starts: to the background unless it was told not to or systemd waits for us. */
static bool run_rbldnsd(const struct rbldnsd *r, struct err *err)
{
	const struct config_rbldnsd *options = &r->config->dnsd.rbldnsd;
	bool background = !r->foreground && !getenv("NOTIFY_SOCKET");

	if (background
		&& !daemon_background(
			options->log_file && strcmp(options->log_file, "-") == 0, err))
		return false;
	if (background)
		daemon_syslog("sekisho-dnsd", r->facility);
	if (r->words.len)
		log_event(LOG_NOTE, "dnsd.rbldnsd", "%s", buf_str(&r->words));
	signal(SIGPIPE, SIG_IGN);
	return (!r->pid_file || daemon_pid_file(r->pid_file, err)) && run(r->config, err);
}

static int rbldnsd_main(int argc, char **argv)
{
	struct rbldnsd r;
	struct err err;
	int status = 0;

	log_open("sekisho-dnsd", LOG_INFO);
	if (!rbldnsd_parse(argc, argv, &r, &err)) {
		fprintf(stderr, "sekisho-dnsd --rbldnsd: %s\n", err.text);
		status = 1;
	} else if (r.help) {
		rbldnsd_help(stdout);
	} else if (!run_rbldnsd(&r, &err)) {
		log_event(LOG_ERROR, "dnsd.fatal", "error=%s", log_quote(slice_str(err.text)).s);
		status = 1;
	}
	rbldnsd_done(&r);
	return status;
}

int main(int argc, char **argv)
{
	static const struct program dnsd = {"dnsd",
		"Answers DNS for this site's lists and for rbldnsd's files. SIGHUP reads all data "
		"files\n"
		"again, SIGUSR1 logs counters, SIGUSR2 sets them to zero then, SIGTERM ends it.\n\n"
		"  --rbldnsd ARGS...  takes rbldnsd's own command line instead (-h tells it)\n",
		run};

	if (argc > 1 && strcmp(argv[1], "--rbldnsd") == 0)
		return rbldnsd_main(argc - 1, argv + 1);
	return program_main(&dnsd, argc, argv);
}
