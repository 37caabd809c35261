/* listd.c - sekisho-listd: keeps the lists; the only writer. */
#include "base/log.h"
#include "listd/serve.h"

#include <getopt.h>

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

static int usage(FILE *to, int status)
{
	fputs("usage: sekisho-listd [--config FILE]\n"
	      "Keeps the lists: takes evidence and requests, decides, publishes. See "
	      "sekisho-listd(8).\n",
		to);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *path = DEFAULT_CONFIG;
	struct buf faults = BUF_INIT(65536);
	struct config *config;
	struct listd *listd;
	struct err err = {0};
	bool ok;

	for (int o; (o = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
		if (o == 'h')
			return usage(stdout, 0);
		if (o != 'c')
			return usage(stderr, 2);
		path = optarg;
	}
	if (optind < argc)
		return usage(stderr, 2);
	log_open("listd", LOG_INFO);
	config = config_load(path, &faults);
	if (!config) {
		fputs(buf_str(&faults), stderr);
		buf_done(&faults);
		return 2;
	}
	buf_done(&faults);
	listd = listd_prepare(config, &err);
	ok = listd && listd_enter_sandbox(listd, &err) && listd_serve(listd, &err);
	if (!ok)
		log_event(LOG_ERROR, "listd.fatal", "error=%s", log_quote(slice_str(err.text)).s);
	listd_free(listd);
	config_free(config);
	return ok ? 0 : 1;
}
