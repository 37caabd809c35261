/* trapd.c - main() of sekisho-trapd: configure, open, sandbox, serve. */
#include "base/log.h"
#include "trapd/trapd.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

static const char help[] = "usage: sekisho-trapd [--config FILE] [--verbose]\n"
			   "\n"
			   "Takes spam for traps and tells sekisho-listd what it saw.\n"
			   "\n"
			   "  -c, --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
			   "  -v, --verbose      a line for each session too\n"
			   "  -h, --help         this text\n"
			   "  -V, --version      version\n"
			   "\n"
			   "SIGTERM ends it: mails under way get their answer first.\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int run(const struct config *config)
{
	struct err err = {0};
	struct trapd *t = trapd_open(config, &err);
	bool ok = t && trapd_sandbox(t, &err);

	if (ok)
		trapd_serve(t);
	else
		log_event(LOG_ERROR, "trap.fatal", "error=%s", log_quote(slice_str(err.text)).s);
	trapd_free(t);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf faults = BUF_INIT(65536);
	enum log_level level = LOG_INFO;
	const char *path = DEFAULT_CONFIG;
	struct config *config;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'v') {
			level = LOG_DEBUG;
		} else if (c == 'h') {
			fputs(help, stdout);
			return 0;
		} else if (c == 'V') {
			puts("sekisho-trapd " SEKISHO_VERSION);
			return 0;
		} else {
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sekisho-trapd: '%s' is not expected\n%s", argv[optind], help);
		return 2;
	}
	log_open("trapd", level);
	config = config_load(path, &faults);
	if (!config) {
		fputs(buf_str(&faults), stderr);
		return 2;
	}
	rc = run(config);
	config_free(config);
	return rc;
}
