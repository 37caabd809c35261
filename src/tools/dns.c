/* dns.c - `sekisho dns`: how the DNS server is, and the keys of signed zones. */
#include "tools/dns_private.h"

#include "base/attr.h"
#include "io/ipc.h"
#include "tools/tools.h"

#include <inttypes.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{"status", dns_status_main, "how the server is: zones, data, lists, secondaries"},
	{"key", dns_key_main, "make the private key of a signed zone"},
	{"ds", dns_ds_main, "show the records that the parent of a signed zone needs"},
};

static void print_usage(FILE *to)
{
	fputs("usage: sekisho dns COMMAND [OPTIONS]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-7s %s\n", verbs[i].name, verbs[i].help);
	fputs("\nsekisho dns COMMAND --help tells more.\n", to);
}

int dns_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	print_usage(help ? stdout : stderr);
	return help ? EXIT_CLEAN : EXIT_USAGE;
}

/* ---- asking dnsd ---- */

int dns_connect(const char *command, const struct config *config)
{
	struct err err;
	int fd = ipc_connect(config->dnsd_socket_path, "admin", &err);

	if (fd < 0)
		fprintf(stderr, "%s: %s\n", command, err.text);
	return fd;
}

struct dns_count dns_count(int64_t n)
{
	struct dns_count c;
	char digits[24];
	size_t len, at = 0;

	snprintf(digits, sizeof digits, "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		c.s[at++] = digits[i];
		if ((len - i) % 3 == 1 && len - i > 1 && digits[i] != '-')
			c.s[at++] = ',';
	}
	c.s[at] = '\0';
	return c;
}
