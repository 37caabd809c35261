/* dnsbench.c - dnsbench make|ask|load|compare: see usage below. tests/bench/README.md says who drives it. */
#include "dnsbench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"make", make_main,
		"ip4|ip4-values|cidr|ip6|domain|combined ENTRIES QUESTIONS SEED ZONE LIST-FILE "
		"QUESTION-FILE: a made-up list and questions"},
	{"echo", echo_main, "PORT: sends every question back, until it is ended"},
	{"ask", ask_main,
		"PORT QUESTION-FILE REPLY-FILE [FROM]: every question once, replies in their "
		"order, "
		"empty where none came"},
	{"load", load_main,
		"PORT QUESTION-FILE SECONDS: as fast as answers come; prints how many came"},
	{"tcp", tcp_main,
		"PORT QUESTION-FILE CONNECTIONS DEPTH SECONDS SOURCE: over so many TCP connections "
		"from "
		"127.1.0.1+SOURCE, so many under way on each; DEPTH 0: held until the input ends"},
	{"xdp", xdp_main,
		"WIRE OUT RELAY SERVER-MAC FROM TO QUESTION-FILE SECONDS WINDOW: the same past the "
		"network "
		"stack, so many under way; RELAY is the other end of OUT"},
	{"compare", compare_main,
		"QUESTION-FILE REPLY-FILE REPLY-FILE: section by section; exit 1 when any differ"},
};

void packets_read(const char *path, struct packets *ret)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	size_t size, cap = 0;

	if (!f || fstat(fileno(f), &st) != 0)
		fail(path);
	size = (size_t)st.st_size;
	*ret = (struct packets){.bytes = malloc(size + 1)};
	if (!ret->bytes || fread(ret->bytes, 1, size, f) != size)
		fail(path);
	fclose(f);
	for (size_t at = 0; at + 2 <= size;) {
		if (ret->count == cap) {
			cap = cap ? cap * 2 : 1024;
			ret->at = realloc(ret->at, cap * sizeof *ret->at);
			if (!ret->at)
				fail("memory");
		}
		ret->at[ret->count++] = (uint32_t)at;
		at += 2u + ((size_t)ret->bytes[at] | (size_t)ret->bytes[at + 1] << 8);
		if (at > size) {
			fprintf(stderr, "%s: ends inside a packet\n", path);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(stderr, "dnsbench %s %s\n", commands[i].name, commands[i].help);
	return 2;
}
