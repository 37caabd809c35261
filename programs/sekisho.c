/* sekisho.c - one tool, many subcommands. */
#include "base/attr.h"
#include "tools/tools.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"bounce", bounce_main, "tell which list refused a mail, and what to do"},
	{"check", check_main, "ask DNS lists about addresses and domains"},
	{"compile", compile_main, "make a snapshot of rbldnsd's files"},
	{"config", config_main, "check, print and explain the configuration"},
	{"dns", dns_main, "how the DNS server is; keys of signed zones"},
	{"list", list_main, "add, remove, explain, import and export listings"},
	{"top", top_main, "the DNS server live: queries, lists, clients, zones, latency"},
	{"up", up_main, "start all the daemons of one configuration and keep them running"},
};

static void print_usage(FILE *to)
{
	fputs("usage: sekisho COMMAND [OPTIONS]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nsekisho COMMAND --help tells more. Exit codes: 0 clean, 1 listed or found, 2 "
	      "usage, "
	      "3 could not tell.\n",
		to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0) {
		puts("sekisho " SEKISHO_VERSION);
		return EXIT_CLEAN;
	}
	print_usage(strcmp(name, "--help") == 0 || strcmp(name, "help") == 0 ? stdout : stderr);
	return strcmp(name, "--help") == 0 || strcmp(name, "help") == 0 ? EXIT_CLEAN : EXIT_USAGE;
}
