/* program.c - options and configuration of a daemon. */
#include "program.h"
#include "base/log.h"

#include <getopt.h>
#include <signal.h>

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

static int usage(const struct program *p, FILE *to, int status)
{
	fprintf(to,
		"usage: sekisho-%s [--config FILE] [--verbose]\n\n%s\n"
		"  -c, --config FILE  the configuration, else " DEFAULT_CONFIG "\n"
		"  -v, --verbose      log more\n"
		"  -h, --help         this text\n"
		"  -V, --version      the version\n",
		p->name, p->help);
	return status;
}

static int run(const struct program *p, const char *path)
{
	_cleanup_buf_ struct buf faults = BUF_INIT((size_t)1 << 20);
	struct config *config = config_load(path, &faults);
	char event[32];
	struct err err;
	bool ok;

	if (!config) {
		fputs(buf_str(&faults), stderr);
		return 2;
	}
	/* Who hangs up while we write is seen by the write. */
	signal(SIGPIPE, SIG_IGN);
	ok = p->run(config, &err);
	if (!ok) {
		snprintf(event, sizeof event, "%s.fatal", p->name);
		log_event(LOG_ERROR, event, "error=%s", log_quote(slice_str(err.text)).s);
	}
	config_free(config);
	return ok ? 0 : 1;
}

int program_main(const struct program *p, int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"verbose", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {0}};
	const char *path = DEFAULT_CONFIG;
	enum log_level level = LOG_INFO;
	int c;

	while ((c = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'v':
			level = LOG_DEBUG;
			break;
		case 'h':
			return usage(p, stdout, 0);
		case 'V':
			printf("sekisho-%s " SEKISHO_VERSION "\n", p->name);
			return 0;
		default:
			return usage(p, stderr, 2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sekisho-%s: '%s' is not expected\n", p->name, argv[optind]);
		return usage(p, stderr, 2);
	}
	log_open(p->name, level);
	return run(p, path);
}
