/* gated.c - main() of sekisho-gated: configure, open, sandbox, serve. */
#include "base/log.h"
#include "config/config.h"
#include "gated/gate.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

static const char help[] = "usage: sekisho-gated [--config FILE]\n"
			   "\n"
			   "Judges the clients of a mail server by DNS lists, through the milter "
			   "and the Postfix policy\n"
			   "protocols.\n"
			   "\n"
			   "  -c, --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
			   "  -h, --help         this text\n"
			   "  -V, --version      version\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int run(const struct config *config)
{
	struct err err = {0};
	struct gate *g = gate_open(config, &err);
	bool ok = g && gate_enter_sandbox(g, &err);

	if (ok)
		gate_serve(g);
	else
		log_event(LOG_ERROR, "gate.fatal", "error=%s", log_quote(slice_str(err.text)).s);
	gate_free(g);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf faults = BUF_INIT(65536);
	const char *path = DEFAULT_CONFIG;
	struct config *config;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? help : "sekisho-gated " SEKISHO_VERSION "\n", stdout);
			return 0;
		} else {
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sekisho-gated: '%s' is not expected\n%s", argv[optind], help);
		return 2;
	}
	log_open("gated", LOG_INFO);
	config = config_load(path, &faults);
	if (!config) {
		fputs(buf_str(&faults), stderr);
		return 2;
	}
	rc = run(config);
	config_free(config);
	return rc;
}
