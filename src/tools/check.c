/* check.c - `sekisho check`: asks all lists at once about addresses and domains. */
#include "tools/check_private.h"

#include "base/mem.h"
#include "io/loop.h"
#include "tools/tools.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TARGETS_MAX ((size_t)1000000)
#define INPUT_MAX ((size_t)64 << 20)
/* Targets asked about at once: no list gets more questions than it may have in flight. */
#define BATCH 64
#define RESOLVERS_MAX 8

static const char usage[] =
	"usage: sekisho check [OPTIONS] ADDRESS|DOMAIN...\n"
	"       sekisho check [OPTIONS] - < FILE\n\n"
	"Asks DNS lists about addresses and domains, all lists at once.\n\n"
	"  --list ZONE[@ADDR:PORT]  ask this list (any number of times) in place of the\n"
	"                           configured ones, at this server when one is named\n"
	"  --resolver ADDR:PORT     ask through this resolver\n"
	"  --timeout MS             wait so long for the answers\n"
	"  --json                   one JSON object a line\n"
	"  --config FILE            else " DEFAULT_CONFIG "\n\n"
	"Exit codes: 0 nowhere listed, 1 listed, 2 usage, 3 a list could not be asked.\n";

struct check {
	struct config *config; /* NULL when everything is on the command line */
	struct check_lists lists;
	const char *resolvers[RESOLVERS_MAX];
	size_t resolver_count;
	long timeout_ms;
	bool json, colour;
	struct check_target *targets;
	size_t target_count;
	struct loop *loop;
	size_t open; /* questions of this batch */
	bool listed, unsure;
};

static int fail(const struct err *err, int status)
{
	fprintf(stderr, "sekisho check: %s\n", err->text);
	return status;
}

/* ---- what is asked about ---- */

static bool target_add(struct check *c, struct slice text, struct err *err)
{
	struct check_target t = {0};

	if (c->target_count == TARGETS_MAX)
		return err_set(err, ERR_LIMIT, "more than %zu addresses and domains", TARGETS_MAX);
	t.is_ip = ip_parse(text, &t.ip);
	if (t.is_ip)
		t.ip = ip_unmap(t.ip);
	else if (!domain_parse_idn(text, &t.domain, NULL) || t.domain.labels < 1)
		return err_set(err, ERR_SYNTAX, "'%.*s' is neither an address nor a domain",
			SLICE_FMT(slice_take(text, 100)));
	t.text = mem_str(t.is_ip ? ip_text(&t.ip).s : domain_text(&t.domain).s);
	/* grows by doubling: a power of two is full */
	if ((c->target_count & (c->target_count - 1)) == 0)
		c->targets = mem_resize(c->targets,
			(c->target_count ? 2 * c->target_count : 1) * sizeof *c->targets);
	c->targets[c->target_count++] = t;
	return true;
}

/* One a line; blank lines and what follows '#' are left out. */
static bool targets_read(struct check *c, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(INPUT_MAX);
	struct slice all, line;
	size_t number = 0, n;
	char *room;

	do {
		room = buf_room(&text, 65536);
		if (!room)
			return err_set(err, ERR_LIMIT, "more than 64 MiB on standard input");
		n = fread(room, 1, 65536, stdin);
		text.len += n;
	} while (n > 0);
	all = buf_slice(&text);
	while (slice_cut_line(&all, &line)) {
		number++;
		line = slice_trim(slice_take(line, slice_find(line, '#')));
		if (line.len > 0 && !target_add(c, line, err))
			return err_prefix(err, "standard input, line %zu: ", number);
	}
	return true;
}

static bool targets_of(struct check *c, int argc, char **argv, struct err *err)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "-") == 0 ? !targets_read(c, err)
					      : !target_add(c, slice_str(argv[i]), err))
			return false;
	return true;
}

/* ---- asking ---- */

struct asking {
	struct check *check;
	struct check_result *result;
};

static void answered(void *ctx, const struct dnsbl_answer *answer)
{
	struct asking *a = ctx;
	struct check *c = a->check;

	a->result->answer = *answer;
	free(a);
	if (--c->open == 0)
		loop_stop(c->loop);
}

static void ask(struct check *c, const struct check_list *l, const struct check_target *t,
	struct check_result *r)
{
	struct domain name;
	struct asking *a;
	bool knows = t->is_ip ? (t->ip.family == 4 ? l->addresses : l->ip6) : l->domains;

	if (!knows
		|| !(t->is_ip ? dnsbl_name_of_ip(&t->ip, &l->dnsbl.zone, &name)
			      : dnsbl_name_of_domain(&t->domain, &l->dnsbl.zone, &name)))
		return;
	r->asked = true;
	a = mem_new(1, sizeof *a);
	a->check = c;
	a->result = r;
	c->open++;
	dnsbl_start(&l->dnsbl, &name, c->timeout_ms, answered, a);
}

static void target_count_outcomes(struct check *c, const struct check_target *t)
{
	size_t asked = 0;

	for (size_t i = 0; i < c->lists.count; i++) {
		enum check_outcome o = check_outcome(&c->lists.items[i], &t->results[i]);

		asked += o != CHECK_NOT_ASKED;
		c->listed |= o == CHECK_LISTED;
		c->unsure |= o == CHECK_NO_ANSWER;
	}
	c->unsure |= asked == 0;
}

static void run_batch(struct check *c, struct check_target *targets, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		targets[k].results = mem_new(c->lists.count, sizeof *targets[k].results);
		for (size_t i = 0; i < c->lists.count; i++)
			ask(c, &c->lists.items[i], &targets[k], &targets[k].results[i]);
	}
	if (c->open > 0)
		loop_run(c->loop);
	for (size_t k = 0; k < count; k++) {
		target_count_outcomes(c, &targets[k]);
		if (c->json)
			check_print_json(&c->lists, &targets[k]);
		else
			check_print_text(&c->lists, &targets[k], c->colour);
		free(targets[k].results);
	}
	fflush(stdout);
}

static bool lists_open(struct check *c, struct resolver *r, struct err *err)
{
	for (size_t i = 0; i < c->lists.count; i++) {
		struct check_list *l = &c->lists.items[i];
		const char *server[] = {l->server};

		l->dnsbl.error_codes = &l->error_codes;
		l->dnsbl.upstream = l->server
					    ? upstream_new(r, server, 1, err)
					    : upstream_new(r, c->resolvers, c->resolver_count, err);
		if (!l->dnsbl.upstream)
			return false;
	}
	return true;
}

static int run(struct check *c)
{
	struct resolver *r;
	struct err err;
	bool open;

	c->loop = loop_new();
	r = resolver_new(c->loop, NULL);
	open = lists_open(c, r, &err);
	for (size_t i = 0; open && i < c->target_count; i += BATCH)
		run_batch(c, &c->targets[i], MIN((size_t)BATCH, c->target_count - i));
	resolver_free(r);
	loop_free(c->loop);
	if (!open)
		return fail(&err, EXIT_USAGE);
	return c->listed ? EXIT_FOUND : c->unsure ? EXIT_COULD_NOT : EXIT_CLEAN;
}

/* ---- configuration and command line ---- */

static bool load_config(struct check *c, const char *path)
{
	_cleanup_buf_ struct buf faults = BUF_INIT((size_t)1 << 20);
	const struct strings *resolver;

	c->config = config_load(path, &faults);
	if (!c->config) {
		fputs(buf_str(&faults), stderr);
		return false;
	}
	resolver = &c->config->check.resolver;
	if (c->resolver_count == 0)
		for (size_t i = 0; i < resolver->count && i < RESOLVERS_MAX; i++)
			c->resolvers[c->resolver_count++] = resolver->items[i];
	if (c->timeout_ms == 0)
		c->timeout_ms = c->config->check.timeout_ms;
	return true;
}

static bool timeout_parse(const char *text, long *ret)
{
	uint64_t v;

	if (!slice_u64(slice_str(text), 60000, &v) || v < 50)
		return false;
	*ret = (long)v;
	return true;
}

struct arguments {
	const char *config;
	const char *lists[CHECK_LISTS_MAX];
	size_t list_count;
};

/* -1: go on; else the exit code. */
static int arguments_read(int argc, char **argv, struct check *c, struct arguments *a)
{
	static const struct option options[] = {
		{"list", required_argument, NULL, 'l'},
		{"resolver", required_argument, NULL, 'r'},
		{"timeout", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "l:r:t:jc:h", options, NULL)) != -1) {
		if (o == 'h') {
			fputs(usage, stdout);
			return EXIT_CLEAN;
		} else if (o == 'l' && a->list_count < CHECK_LISTS_MAX) {
			a->lists[a->list_count++] = optarg;
		} else if (o == 'r' && c->resolver_count < RESOLVERS_MAX) {
			c->resolvers[c->resolver_count++] = optarg;
		} else if (o == 't') {
			if (timeout_parse(optarg, &c->timeout_ms))
				continue;
			fprintf(stderr, "sekisho check: --timeout is 50 to 60000 milliseconds\n");
			return EXIT_USAGE;
		} else if (o == 'j') {
			c->json = true;
		} else if (o == 'c') {
			a->config = optarg;
		} else {
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static bool lists_of(struct check *c, const struct arguments *a, struct err *err)
{
	if (a->list_count == 0)
		return check_lists_of_config(&c->lists, c->config, err);
	for (size_t i = 0; i < a->list_count; i++)
		if (!check_lists_add(&c->lists, c->config, a->lists[i], err))
			return false;
	return true;
}

int check_main(int argc, char **argv)
{
	struct check c = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
	struct arguments a = {0};
	struct err err;
	int status = arguments_read(argc, argv, &c, &a);

	if (status >= 0)
		return status;
	/* With the lists on the command line it works on machines that have no configuration. */
	if ((a.config || a.list_count == 0)
		&& !load_config(&c, a.config ? a.config : DEFAULT_CONFIG))
		return EXIT_USAGE;
	if (c.timeout_ms == 0)
		c.timeout_ms = 5000;
	if (!lists_of(&c, &a, &err) || !targets_of(&c, argc - optind, argv + optind, &err))
		status = fail(&err, EXIT_USAGE);
	else
		status = run(&c);
	for (size_t i = 0; i < c.target_count; i++)
		free(c.targets[i].text);
	free(c.targets);
	check_lists_done(&c.lists);
	config_free(c.config);
	return status;
}
