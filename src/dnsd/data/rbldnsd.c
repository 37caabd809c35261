/* rbldnsd.c - rbldnsd's own command line, turned into our configuration. */
#include "dnsd/data/rbldnsd.h"

#include "base/mem.h"
#include "dataset/dataset.h"
#include "io/socket.h"

#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#define ADDRESSES_MAX 64
#define DEFAULT_USER "rbldns" /* as root without -u */
#define DEFAULT_CHECK_S 60
#define DEFAULT_TTL_S 2100

/* The options as they were given. */
struct given {
	const char *user, *root, *work, *pid_file, *facility, *log, *stats, *extension;
	const char *addresses[ADDRESSES_MAX];
	size_t address_count;
	int family;
	uint32_t check_s, ttl_s, ttl_min_s, ttl_max_s;
	bool quick, dump, lazy, host_bits, no_gunzip;
	unsigned silent; /* how often -v */
};

void rbldnsd_help(FILE *to)
{
	static const char *const lines[] = {
		"usage: sekisho-dnsd --rbldnsd OPTIONS ZONE:TYPE:FILE,FILE...", "",
		" -u USER[:GROUP]   whom to become; as root \"" DEFAULT_USER "\"",
		" -r FOLDER         names of files are below it",
		" -w FOLDER         and relative ones below this one in it",
		" -b ADDRESS[/PORT] where to answer, UDP and TCP; may be repeated",
		" -4                host names of -b mean IPv4 only",
		" -6                or IPv6 only", " -t DEFAULT:MIN:MAX",
		"                   TTL of what has none, and bounds of those given",
		" -c TIME           between looks for changed files; 1m, 0 never",
		" -e                addresses may have bits behind their length",
		" -p FILE           gets the process id",
		" -n                stay in the foreground",
		" -q                start with what can be read, and tell nothing",
		" -l [+]FILE        every question; + without delay, - is standard output",
		" -s [+]FILE        counters at every look for changes; + what came since the last",
		" -a -A             no NS records behind answers, or always (default)",
		" -v                do not tell the version; twice: answer no such question",
		" -C                refuse compressed files",
		" -F FACILITY       of syslog, when in the background",
		" -d                (refused) zones in master format",
		" -f                (always) questions are answered while files are read",
		" -x FILE -X ARG    (refused) extensions", " -h                this text", "",
		"Types of data sets:"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		fprintf(to, "%s\n", lines[i]);
	for (int t = 0; t <= DATASET_ACLKEY; t++)
		fprintf(to, " %s", dataset_type_name((enum dataset_type)t));
	fputc('\n', to);
}

/* A number with one unit letter at most, up to ':' or the end. */
static bool take_time(struct slice *s, uint32_t *ret)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
	size_t n = 0;
	const char *unit;
	uint64_t v;

	while (n < s->len && ascii_is_digit(s->ptr[n]))
		n++;
	if (!slice_u64(slice_take(*s, n), UINT32_MAX, &v))
		return false;
	*s = slice_skip(*s, n);
	unit = s->len ? memchr(units, ascii_lower(s->ptr[0]), 5) : NULL;
	if (unit) {
		v *= seconds[unit - units];
		*s = slice_skip(*s, 1);
	}
	*ret = (uint32_t)v;
	return v <= UINT32_MAX;
}

static bool parse_ttl(const char *text, struct given *g, struct err *err)
{
	uint32_t *const into[] = {&g->ttl_s, &g->ttl_min_s, &g->ttl_max_s};
	struct slice s = slice_str(text);

	for (size_t i = 0; i < ARRAY_LEN(into) && s.len; i++) {
		if (s.ptr[0] != ':' && !take_time(&s, into[i]))
			break;
		if (s.len && s.ptr[0] != ':')
			break;
		s = slice_skip(s, 1);
	}
	if (s.len || !g->ttl_s)
		return err_set(err, ERR_SYNTAX, "-t %.50s: expected default:min:max", text);
	if ((g->ttl_max_s && (g->ttl_min_s > g->ttl_max_s || g->ttl_s > g->ttl_max_s))
		|| g->ttl_s < g->ttl_min_s)
		return err_set(
			err, ERR_SYNTAX, "-t %.50s: the default must lie within the bounds", text);
	return true;
}

static bool parse_check(const char *text, struct given *g, struct err *err)
{
	struct slice s = slice_str(text);

	if (!take_time(&s, &g->check_s) || s.len)
		return err_set(
			err, ERR_SYNTAX, "-c %.50s: expected a time like 60, 5m or 1h", text);
	return true;
}

static bool parse_facility(const char *name, int *ret, struct err *err)
{
	static const struct {
		const char *name;
		int facility;
	} known[] = {{"auth", LOG_AUTH}, {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
		{"daemon", LOG_DAEMON}, {"ftp", LOG_FTP}, {"kern", LOG_KERN},
		{"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
		{"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
		{"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}, {"lpr", LOG_LPR},
		{"mail", LOG_MAIL}, {"news", LOG_NEWS}, {"syslog", LOG_SYSLOG}, {"user", LOG_USER},
		{"uucp", LOG_UUCP}};

	*ret = LOG_DAEMON;
	for (size_t i = 0; name && i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) == 0) {
			*ret = known[i].facility;
			return true;
		}
	}
	return name ? err_set(err, ERR_SYNTAX, "-F %.50s: no facility of syslog", name) : true;
}

static bool parse_options(
	int argc, char **argv, struct given *g, struct rbldnsd *r, struct err *err)
{
	int c;

	optind = 1;
	while ((c = getopt(argc, argv, "u:r:b:w:t:c:p:nel:qs:h46dvaAfF:Cx:X:")) != -1) {
		switch (c) {
		case 'u':
			g->user = optarg;
			break;
		case 'r':
			g->root = optarg;
			break;
		case 'w':
			g->work = optarg;
			break;
		case 'b':
			if (g->address_count == ADDRESSES_MAX)
				return err_set(err, ERR_LIMIT, "-b: more than %d addresses",
					ADDRESSES_MAX);
			g->addresses[g->address_count++] = optarg;
			break;
		case 't':
			if (!parse_ttl(optarg, g, err))
				return false;
			break;
		case 'c':
			if (!parse_check(optarg, g, err))
				return false;
			break;
		case 'p':
			g->pid_file = optarg;
			break;
		case 'n':
			r->foreground = true;
			break;
		case 'e':
			g->host_bits = true;
			break;
		case 'l':
			g->log = optarg;
			break;
		case 'q':
			g->quick = true;
			break;
		case 's':
			g->stats = optarg;
			break;
		case 'h':
			r->help = true;
			return true;
		case '4':
			g->family = AF_INET;
			break;
		case '6':
			g->family = AF_INET6;
			break;
		case 'd':
			g->dump = true;
			break;
		case 'v':
			g->silent++;
			break;
		case 'a':
			g->lazy = true;
			break;
		case 'A':
			g->lazy = false;
			break;
		case 'f':
			break;
		case 'F':
			g->facility = optarg;
			break;
		case 'C':
			g->no_gunzip = true;
			break;
		case 'x':
			g->extension = optarg;
			break;
		case 'X':
			break;
		default:
			return err_set(err, ERR_SYNTAX, "-h tells all options");
		}
	}
	return parse_facility(g->facility, &r->facility, err);
}

/* ---- addresses ---- */

static void add_text(struct strings *s, char *text)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->items[i], text) == 0) {
			free(text);
			return;
		}
	}
	s->items = mem_resize(s->items, (s->count + 1) * sizeof *s->items);
	s->items[s->count++] = text;
}

static void clear_texts(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i]);
	s->count = 0;
}

/* "host/port" or "host": every address the name has. */
static bool add_address(struct strings *to, const char *text, int family, struct err *err)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
	struct slice rest = slice_str(text), host;
	char name[NI_MAXHOST], service[NI_MAXSERV] = "domain";
	struct addrinfo *found = NULL;
	int rc;

	slice_cut(&rest, '/', &host);
	if (!host.len || !slice_copy(host, name, sizeof name)
		|| (rest.len && !slice_copy(rest, service, sizeof service)))
		return err_set(err, ERR_SYNTAX, "-b %.60s: expected address or address/port", text);
	rc = getaddrinfo(name, service, &hints, &found);
	if (rc != 0)
		return err_set(err, ERR_MISSING, "-b %.60s: %s", text, gai_strerror(rc));
	for (const struct addrinfo *a = found; a; a = a->ai_next) {
		struct socket_address address = {.len = a->ai_addrlen};
		memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
		add_text(to, mem_str(socket_address_text(&address).s));
	}
	freeaddrinfo(found);
	return true;
}

/* ---- zones ---- */

/* A file as rbldnsd would name it behind its chroot and its change of folder. */
static void add_path(struct buf *to, const struct given *g, struct slice file)
{
	if (g->root)
		buf_addf(to, "%s/", g->root);
	if (g->work && !slice_starts(file, SLICE("/")))
		buf_addf(to, "%s/", g->work);
	buf_add_slice(to, file);
}

static char *path_of(const struct given *g, const char *file)
{
	struct buf path = BUF_INIT(PATH_MAX * 3);

	add_path(&path, g, slice_str(file));
	return path.ptr;
}

/* "type:file,file" with whole paths. rbldnsd takes ':' for ',' and passes over empty names. */
static char *data_of(const struct given *g, struct slice text, struct err *err)
{
	struct buf data = BUF_INIT((size_t)1 << 20);
	struct slice rest = text, type, file, part;
	bool any = false;

	if (slice_find(rest, ':') == rest.len || !slice_cut(&rest, ':', &type)) {
		err_set(err, ERR_SYNTAX, "'%.*s': expected type:file", (int)MIN(text.len, 60),
			text.ptr);
		return NULL;
	}
	buf_add_slice(&data, type);
	while (slice_cut(&rest, ',', &part)) {
		while (slice_cut(&part, ':', &file)) {
			if (!file.len)
				continue;
			buf_add_char(&data, any ? ',' : ':');
			add_path(&data, g, file);
			any = true;
		}
	}
	if (any)
		return data.ptr;
	buf_done(&data);
	err_set(err, ERR_SYNTAX, "'%.*s': no file named", (int)MIN(text.len, 60), text.ptr);
	return NULL;
}

static struct config_zone *zone_named(struct config_dnsd *c, const struct domain *name)
{
	struct config_zone *z;

	for (size_t i = 0; i < c->zone_count; i++)
		if (domain_eq(&c->zones[i].zone_name, name))
			return &c->zones[i];
	c->zones = mem_resize(c->zones, (c->zone_count + 1) * sizeof *c->zones);
	z = &c->zones[c->zone_count++];
	*z = (struct config_zone){.name = mem_str(domain_text(name).s), .zone_name = *name};
	return z;
}

static bool is_rule(struct slice data)
{
	return slice_starts(data, SLICE("acl:")) || slice_starts(data, SLICE("aclkey:"));
}

/* zone:type:file,file; without a zone an acl for all. */
static bool add_spec(
	struct config_dnsd *c, const struct given *g, const char *spec, struct err *err)
{
	struct slice rest = slice_str(spec), name;
	struct domain zone;
	struct strings *to;
	char *data;

	if (slice_find(rest, ':') == rest.len || !slice_cut(&rest, ':', &name))
		return err_set(err, ERR_SYNTAX, "'%.60s': expected zone:type:file,file", spec);
	if (!name.len && !slice_starts(rest, SLICE("acl:")))
		return err_set(err, ERR_SYNTAX, "'%.60s': the zone is missing", spec);
	if (!name.len && c->access.count)
		return err_set(err, ERR_SYNTAX, "'%.60s': a second acl for all zones", spec);
	if (name.len && !domain_parse(name, &zone, err))
		return err_prefix(err, "'%.60s': ", spec);
	data = data_of(g, rest, err);
	if (!data)
		return false;
	to = name.len ? &zone_named(c, &zone)->data : &c->access;
	for (size_t i = 0; i < to->count; i++) {
		size_t type = slice_find(rest, ':') + 1;
		if (is_rule(rest) && strncmp(to->items[i], data, type) == 0) {
			free(data);
			return err_set(err, ERR_SYNTAX, "'%.60s': a second %.*s for that zone",
				spec, (int)type - 1, rest.ptr);
		}
	}
	to->items = mem_resize(to->items, (to->count + 1) * sizeof *to->items);
	to->items[to->count++] = data;
	return true;
}

static bool add_specs(
	struct config_dnsd *c, const struct given *g, char **specs, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!add_spec(c, g, specs[i], err))
			return false;
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];
		size_t rules = 0;
		for (size_t k = 0; k < z->data.count; k++)
			rules += is_rule(slice_str(z->data.items[k]));
		if (rules == z->data.count)
			return err_set(err, ERR_SYNTAX, "zone %s has no data", z->name);
	}
	return count ? true : err_set(err, ERR_SYNTAX, "no zone named; -h tells how");
}

/* ---- all together ---- */

static bool choose_user(struct config_dnsd *c, const struct given *g, struct err *err)
{
	if (g->user && (strcmp(g->user, "root") == 0 || strcmp(g->user, "0") == 0))
		return err_set(err, ERR_REFUSED, "not as root: name another user with -u");
	free(c->user);
	c->user = mem_str(g->user ? g->user : geteuid() == 0 ? DEFAULT_USER : "");
	return true;
}

/* "+file" and "-" of -l and -s. */
static char *sink_of(const struct given *g, const char *text, bool *ret_plus)
{
	*ret_plus = text && text[0] == '+';
	if (*ret_plus)
		text++;
	if (!text || !*text)
		return NULL;
	return strcmp(text, "-") == 0 ? mem_str(text) : path_of(g, text);
}

static void fill(struct config_dnsd *c, const struct given *g)
{
	static const char *const versions[] = {
		("sekisho-dnsd " SEKISHO_VERSION), "sekisho-dnsd", ""};
	struct config_rbldnsd *r = &c->rbldnsd;

	c->check_interval = g->check_s;
	r->on = true;
	r->ttl_s = g->ttl_s;
	r->ttl_min_s = g->ttl_min_s;
	r->ttl_max_s = g->ttl_max_s;
	r->host_bits = g->host_bits;
	r->no_gunzip = g->no_gunzip;
	r->all_or_nothing = !g->quick;
	r->adds_ns = !g->lazy;
	free(c->version);
	c->version = mem_str(versions[MIN(g->silent, 2u)]);
	r->log_file = sink_of(g, g->log, &r->log_at_once);
	r->stats_file = sink_of(g, g->stats, &r->stats_are_deltas);
}

bool rbldnsd_parse(int argc, char **argv, struct rbldnsd *ret, struct err *err)
{
	struct given g = {.family = AF_UNSPEC, .check_s = DEFAULT_CHECK_S, .ttl_s = DEFAULT_TTL_S};
	_cleanup_buf_ struct buf faults = BUF_INIT(4096);
	struct config_dnsd *c;

	*ret = (struct rbldnsd){.words = BUF_INIT(4096)};
	if (!parse_options(argc, argv, &g, ret, err))
		return false;
	if (ret->help)
		return true;
	if (g.extension)
		return err_set(err, ERR_REFUSED,
			"-x %.50s: extensions are not loaded here; what it decides must stand in "
			"an acl",
			g.extension);
	if (g.dump)
		return err_set(err, ERR_REFUSED,
			"-d: no zones are written here; have a secondary "
			"transfer them (dnsd|secondary in sekisho.conf) or use rbldnsd -d");
	ret->config = config_text(SLICE_EMPTY, "rbldnsd", &faults);
	c = &ret->config->dnsd;
	clear_texts(&c->listen);
	for (size_t i = 0; i < g.address_count; i++)
		if (!add_address(&c->listen, g.addresses[i], g.family, err))
			return false;
	if (!c->listen.count)
		return err_set(err, ERR_SYNTAX, "no address to listen on: name one with -b");
	if (!add_specs(c, &g, argv + optind, (size_t)(argc - optind), err)
		|| !choose_user(c, &g, err))
		return false;
	fill(c, &g);
	if (g.pid_file)
		ret->pid_file = mem_str(g.pid_file);
	if (g.root)
		buf_addf(&ret->words, "-r is a prefix of file names, Landlock keeps to them; ");
	return true;
}

void rbldnsd_done(struct rbldnsd *r)
{
	if (r->config) {
		free(r->config->dnsd.rbldnsd.log_file);
		free(r->config->dnsd.rbldnsd.stats_file);
	}
	r->config = config_free(r->config);
	free(r->pid_file);
	buf_done(&r->words);
}
