/* config.c - `sekisho config`: checks, prints and explains the configuration. */
#include "config/config.h"
#include "resolve/codes.h"
#include "source/source.h"
#include "tools/tools.h"

#include <getopt.h>

static const char usage[] =
	"usage: sekisho config check [--config FILE]   every fault with file, line and what to do\n"
	"       sekisho config print [--config FILE]   every option with the value in force\n"
	"       sekisho config help                    every option with its default and meaning\n";

static void check_codes(const struct config *c, const struct config_gate_list *l,
	const struct strings *codes, const char *option, struct buf *faults)
{
	struct code_set set;
	struct err err;

	if (code_set_parse((const char *const *)codes->items, codes->count, &set, &err))
		code_set_done(&set);
	else
		buf_addf(faults, "%s: gated: list \"%s\": %s: %s\n", c->path, l->zone, option,
			err.text);
}

/* What only the daemons understand: they would refuse it at their start. */
static void check_notations(const struct config *c, struct buf *faults)
{
	struct source_spec spec;
	struct err err;

	for (size_t i = 0; i < c->gated.list_count; i++) {
		const struct config_gate_list *l = &c->gated.lists[i];
		check_codes(c, l, &l->codes, "codes", faults);
		check_codes(c, l, &l->error_codes, "error-codes", faults);
	}
	for (size_t i = 0; i < c->dnsd.zone_count; i++) {
		const struct config_zone *z = &c->dnsd.zones[i];
		for (size_t k = 0; k < z->data.count; k++)
			if (!source_spec_parse(slice_str(z->data.items[k]), &spec, &err))
				buf_addf(faults, "%s: dnsd: zone \"%s\": data: %s\n", c->path,
					z->name, err.text);
	}
}

static int with_file(const char *path, bool print)
{
	struct buf faults = BUF_INIT(1 << 20);
	struct config *c = config_load(path, &faults);
	bool good;

	if (c)
		check_notations(c, &faults);
	good = faults.len == 0;
	fputs(buf_str(&faults), stderr);
	if (c && print)
		config_print(c, stdout);
	else if (good)
		printf("%s: good\n", path);
	buf_done(&faults);
	config_free(c);
	return good ? EXIT_CLEAN : EXIT_FOUND;
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
