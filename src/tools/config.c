/* config.c - `sekisho config`: checks, prints and explains the configuration. */
#include "config/config.h"
#include "tools/tools.h"

#include <getopt.h>

static const char usage[] =
	"usage: sekisho config check [--config FILE]   every fault with file, line and what to do\n"
	"       sekisho config print [--config FILE]   every option with the value in force\n"
	"       sekisho config help                    every option with its default and meaning\n";

static int with_file(const char *path, bool print)
{
	struct buf faults = BUF_INIT(1 << 20);
	struct config *c = config_load(path, &faults);

	if (!c)
		fputs(buf_str(&faults), stderr);
	else if (print)
		config_print(c, stdout);
	else
		printf("%s: good\n", path);
	buf_done(&faults);
	config_free(c);
	return c ? EXIT_CLEAN : EXIT_FOUND;
}

int config_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *path = DEFAULT_CONFIG, *verb;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
		}
	}
	verb = optind == argc - 1 ? argv[optind] : "";
	if (strcmp(verb, "help") == 0) {
		config_help(stdout);
		return EXIT_CLEAN;
	}
	if (strcmp(verb, "check") == 0 || strcmp(verb, "print") == 0)
		return with_file(path, verb[0] == 'p');
	fputs(usage, stderr);
	return EXIT_USAGE;
}
