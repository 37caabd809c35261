/* top.c - `sekisho top`: what it is to do, and one interval for scripts. */
#include "base/attr.h"
#include "io/ipc.h"
#include "tools/dns_private.h"
#include "tools/tools.h"
#include "tools/top_private.h"

#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] = "usage: sekisho top [OPTIONS]\n\n"
			    "  --once           print one interval and end\n"
			    "  --json           with --once: machine-readable\n"
			    "  --interval S     seconds between two looks (2)\n"
			    "  --config FILE    else " DEFAULT_CONFIG "\n\n"
			    "q ends it.\n"
			    "Exit codes: 0 done, 2 usage, 3 could not tell.\n";

struct options {
	const char *config_path;
	bool once, json;
	int64_t interval_ms;
};

json_t *top_ask(int fd, struct err *err)
{
	return ipc_ask(fd, json_pack("{s:s}", "type", "top"), err);
}

/* ---- once ---- */

static int print_once(const struct options *o, int fd)
{
	_cleanup_buf_ struct buf out = BUF_INIT(TOP_TEXT_MAX);
	json_t *before = NULL, *now = NULL, *first;
	struct top_rates r;
	struct err err;

	first = top_ask(fd, &err);
	if (first) {
		usleep(TOP_RAMP_UP_MS * 1000);
		before = top_ask(fd, &err);
	}
	if (before) {
		usleep((useconds_t)o->interval_ms * 1000);
		now = top_ask(fd, &err);
	}
	if (!now) {
		fprintf(stderr, "sekisho top: %s\n", err.text);
	} else {
		top_rates_of(before, now, &r);
		if (o->json) {
			json_t *told = top_json(&r);
			json_dumpf(told, stdout, JSON_COMPACT);
			putchar('\n');
			json_decref(told);
		} else {
			top_print(&r, &out);
			fwrite(buf_str(&out), 1, out.len, stdout);
		}
	}
	json_decref(first);
	json_decref(before);
	json_decref(now);
	return now && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_CLEAN : EXIT_COULD_NOT;
}

/* ---- the command ---- */

static bool parse_interval(const char *text, int64_t *ret_ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0.1 && s <= 3600)) {
		fprintf(stderr, "sekisho top: --interval: '%s' is no number from 0.1 to 3600\n",
			text);
		return false;
	}
	*ret_ms = (int64_t)(s * 1000);
	return true;
}

/* False: *ret_status is what there is to say. */
static bool parse(int argc, char **argv, struct options *o, int *ret_status)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, '1'}, {"json", no_argument, NULL, 'j'},
		{"interval", required_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'}, {0}};

	*ret_status = EXIT_USAGE;
	for (int c; (c = getopt_long(argc, argv, "c:1ji:h", options, NULL)) != -1;) {
		if (c == 'c') {
			o->config_path = optarg;
		} else if (c == '1') {
			o->once = true;
		} else if (c == 'j') {
			o->json = true;
		} else if (c == 'i') {
			if (!parse_interval(optarg, &o->interval_ms))
				return false;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			*ret_status = c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
			return false;
		}
	}
	if (optind == argc && (o->once || !o->json))
		return true;
	fputs(usage, stderr);
	return false;
}

int top_main(int argc, char **argv)
{
	struct options o = {.config_path = DEFAULT_CONFIG, .interval_ms = 2000};
	struct config *config;
	int fd, status;

	if (!parse(argc, argv, &o, &status))
		return status;
	if (!o.once && (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))) {
		fputs("sekisho top: this is no terminal: say --once\n", stderr);
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	status = EXIT_COULD_NOT;
	config = config_or_tell(o.config_path);
	if (!config)
		return status;
	fd = dns_connect("sekisho top", config);
	if (fd >= 0 && o.once) {
		status = print_once(&o, fd);
		close(fd);
	} else if (fd >= 0) {
		status = top_live(config, fd, o.interval_ms);
	}
	config_free(config);
	return status;
}
