/* webd.c - main() of sekisho-webd: configure, open, give up rights, serve until SIGTERM. */
#include "base/log.h"
#include "config/config.h"
#include "io/daemon.h"
#include "io/sandbox.h"
#include "webd/webd.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

static void stop(void *loop)
{
	loop_stop(loop);
}

static int serve(const struct config *config, struct loop *loop)
{
	struct sandbox_needs needs = {.user = config->webd.user, .connects = true};
	struct err err;
	struct webd *w = webd_open(loop, config, &err);

	daemon_notify_open();
	if (!w || !sandbox_enter(&needs, &err)) {
		log_event(LOG_ERROR, "web.start", "%s", err.text);
		webd_free(w);
		return 1;
	}
	log_event(LOG_NOTE, "web.ready", "listen=%s port=%u", config->webd.listen, webd_port(w));
	daemon_ready();
	loop_run(loop);
	webd_free(w);
	return 0;
}

/* NULL: the usage was shown. */
static const char *config_path(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {0}};
	const char *path = "/etc/sekisho/sekisho.conf";
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c != 'c')
			path = NULL;
		else if (path)
			path = optarg;
	}
	if (!path || optind != argc) {
		fprintf(stderr, "usage: sekisho-webd [--config FILE]\n");
		return NULL;
	}
	return path;
}

int main(int argc, char **argv)
{
	struct buf faults = BUF_INIT(65536);
	struct config *config;
	struct loop *loop;
	const char *path;
	int rc;

	log_open("sekisho-webd", getenv("SEKISHO_DEBUG") ? LOG_DEBUG : LOG_NOTE);
	if (!(path = config_path(argc, argv)))
		return 2;
	config = config_load(path, &faults);
	if (!config) {
		fputs(buf_str(&faults), stderr);
		buf_done(&faults);
		return 2;
	}
	loop = loop_new();
	loop_on_signal(loop, SIGTERM, stop, loop);
	loop_on_signal(loop, SIGINT, stop, loop);
	signal(SIGPIPE, SIG_IGN);
	rc = serve(config, loop);
	loop_free(loop);
	config_free(config);
	buf_done(&faults);
	return rc;
}
