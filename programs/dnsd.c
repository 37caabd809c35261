/* dnsd.c - main() of sekisho-dnsd: configure, open, sandbox, serve. */
#include "base/log.h"
#include "config/config.h"
#include "dnsd/dnsd.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

static const char help[] =
	"usage: sekisho-dnsd [--config FILE]\n"
	"\n"
	"Answers DNS for this site's lists and for rbldnsd's files.\n"
	"\n"
	"  -c, --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
	"  -h, --help         this text\n"
	"  -V, --version      version\n"
	"\n"
	"SIGHUP reads all data files again, SIGUSR1 logs counters, SIGTERM ends.\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int fail(const struct err *err)
{
	log_event(LOG_ERROR, "dnsd.fatal", "error=%s", log_quote(slice_str(err->text)).s);
	return 1;
}

static int run(const struct config *config)
{
	struct err err = {0};
	struct dnsd *d = dnsd_open(config, &err);
	bool ok = d && dnsd_enter_sandbox(d, &err) && dnsd_serve(d, &err);

	dnsd_free(d);
	return ok ? 0 : fail(&err);
}

int main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	_cleanup_buf_ struct buf faults = BUF_INIT(65536);
	struct config *config;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'h') {
			fputs(help, stdout);
			return 0;
		} else if (c == 'V') {
			puts("sekisho-dnsd " SEKISHO_VERSION);
			return 0;
		} else {
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sekisho-dnsd: '%s' is not expected\n%s", argv[optind], help);
		return 2;
	}
	log_open("dnsd", LOG_INFO);
	config = config_load(path, &faults);
	if (!config) {
		fputs(buf_str(&faults), stderr);
		return 2;
	}
	rc = run(config);
	config_free(config);
	return rc;
}
