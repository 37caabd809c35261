/* tools.h - the subcommands of `sekisho`, one file each. All take argc and argv from their own name on
 * and return the exit code: 0 clean, 1 listed or found, 2 usage, 3 could not. */
#pragma once

enum { EXIT_CLEAN = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_COULD_NOT = 3 };

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

int bounce_main(int argc, char **argv);
int check_main(int argc, char **argv);
int compile_main(int argc, char **argv);
int config_main(int argc, char **argv);
int dns_main(int argc, char **argv);
int list_main(int argc, char **argv);
int top_main(int argc, char **argv);
int up_main(int argc, char **argv);
