/* config.c - reads the configuration file: libconfuse for the syntax, options.c for what it may say. */
#include "base/duration.h"
#include "base/mem.h"
#include "config/options.h"
#include "io/file.h"

#include <confuse.h>
#include <stdarg.h>

#define SECTIONS_MAX 16
#define FILE_MAX ((size_t)4 * 1024 * 1024)
#define TITLED_MAX 100000 /* sections of one kind */
/* libconfuse takes a file that ends inside a section. An option that is known only outside all sections,
 * put behind the text, finds that out. */
#define END_MARK "__end"

/* The load under way: libconfuse gives its callbacks no context of ours. */
static struct {
	struct buf *faults;
	const char *path;
} loading;

static void fault(int line, const char *fmt, ...) ATTR_FORMAT(2, 3);
static void fault(int line, const char *fmt, ...)
{
	char words[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	if (line > 0)
		buf_addf(loading.faults, "%s:%d: %s\n", loading.path, line, words);
	else
		buf_addf(loading.faults, "%s: %s\n", loading.path, words);
}

static void syntax_fault(cfg_t *cfg, const char *fmt, va_list ap)
{
	char words[400];

	vsnprintf(words, sizeof words, fmt, ap);
	if (strstr(words, END_MARK))
		snprintf(words, sizeof words,
			"the file ends inside a section: a closing } is missing");
	fault(cfg ? cfg->line : 0, "%s%s", words,
		strncmp(words, "no such option", 14) == 0 ? " (sekisho config help lists them all)"
							  : "");
}

/* The values libconfuse holds for an option. */
static size_t values_of(cfg_t *cfg, const char *name, const char **ret, size_t max)
{
	cfg_opt_t *opt = cfg_getopt(cfg, name);
	size_t n = opt ? cfg_opt_size(opt) : 0;

	for (size_t i = 0; i < n && i < max; i++)
		ret[i] = cfg_opt_getnstr(opt, (unsigned)i);
	return n;
}

#define VALUES_MAX 10000

static int check_option(const struct option_section *section, cfg_t *cfg, cfg_opt_t *opt)
{
	const struct option *o = section->options;
	const char **values = mem_new(VALUES_MAX, sizeof *values);
	void *scratch = mem_new(1, section->size);
	size_t count;
	struct err err;

	while (o->name && strcmp(o->name, opt->name) != 0)
		o++;
	count = values_of(cfg, opt->name, values, VALUES_MAX);
	if (count > VALUES_MAX)
		fault(cfg->line, "%s: more than %d values", opt->name, VALUES_MAX);
	else if (o->name && count && !option_set(o, values, count, scratch, &err))
		fault(cfg->line, "%s: %s", opt->name, err.text);
	if (o->name)
		option_done(o, scratch);
	free(scratch);
	free(values);
	return 0; /* go on: every fault is told */
}

/* Which section an option stands in is known only by which callback is called. */
#define CHECKER(n)                                                                                 \
	static int check_##n(cfg_t *cfg, cfg_opt_t *opt)                                           \
	{                                                                                          \
		return check_option(&option_sections[n], cfg, opt);                                \
	}
/* clang-format off */
CHECKER(0) CHECKER(1) CHECKER(2) CHECKER(3) CHECKER(4) CHECKER(5) CHECKER(6) CHECKER(7)
CHECKER(8) CHECKER(9) CHECKER(10) CHECKER(11) CHECKER(12) CHECKER(13) CHECKER(14) CHECKER(15)
CHECKER(16) CHECKER(17) CHECKER(18) CHECKER(19) CHECKER(20) CHECKER(21) CHECKER(22) CHECKER(23)
	/* clang-format on */

	static const cfg_validate_callback_t checkers[] = {check_0, check_1, check_2, check_3,
		check_4, check_5, check_6, check_7, check_8, check_9, check_10, check_11, check_12,
		check_13, check_14, check_15, check_16, check_17, check_18, check_19, check_20,
		check_21, check_22, check_23};

static bool is_child(const char *parent, const char *name)
{
	const char *bar = strrchr(name, '|');

	if (!*name)
		return false;
	if (!*parent)
		return !bar;
	return bar && (size_t)(bar - name) == strlen(parent)
	       && strncmp(parent, name, strlen(parent)) == 0;
}

/* libconfuse's table of a section and of those inside it; freed by free_opts(). */
static cfg_opt_t *make_opts(const struct option_section *section)
{
	size_t n = 0;
	cfg_opt_t *opts;

	while (section->options[n].name)
		n++;
	opts = mem_new(n + SECTIONS_MAX + 2, sizeof *opts);
	n = 0;
	for (const struct option *o = section->options; o->name; o++, n++) {
		if (option_is_many(o))
			opts[n] = (cfg_opt_t)CFG_STR_LIST(o->name, NULL, CFGF_NODEFAULT);
		else
			opts[n] = (cfg_opt_t)CFG_STR(o->name, NULL, CFGF_NODEFAULT);
	}
	for (const struct option_section *s = option_sections; s->name; s++) {
		cfg_flag_t flags =
			s->titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE;

		if (is_child(section->name, s->name))
			opts[n++] = (cfg_opt_t)CFG_SEC(
				option_section_leaf(s->name), make_opts(s), flags);
	}
	if (!*section->name)
		opts[n++] = (cfg_opt_t)CFG_STR(END_MARK, NULL, CFGF_NODEFAULT);
	opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

static void free_opts(cfg_opt_t *opts)
{
	for (cfg_opt_t *o = opts; o->name; o++)
		if (o->type == CFGT_SEC)
			free_opts(o->subopts);
	free(opts);
}

static void set_checkers(cfg_t *cfg)
{
	for (size_t i = 0; option_sections[i].name; i++) {
		const struct option_section *s = &option_sections[i];

		if (i == ARRAY_LEN(checkers)) /* one CHECKER() more is needed */
			abort();
		for (const struct option *o = s->options; o->name; o++) {
			char path[128];
			snprintf(
				path, sizeof path, "%s%s%s", s->name, *s->name ? "|" : "", o->name);
			cfg_set_validate_func(cfg, path, checkers[i]);
		}
	}
}

static void fill(const char *name, cfg_t *cfg, void *base)
{
	const char **values = mem_new(VALUES_MAX, sizeof *values);
	struct err err;

	for (const struct option *o = option_section_named(name)->options; o->name; o++) {
		size_t count = cfg ? values_of(cfg, o->name, values, VALUES_MAX) : 0;
		bool given = cfg && cfg_getopt(cfg, o->name) && cfg_size(cfg, o->name) > 0;

		if (given && option_set(o, values, count, base, &err))
			continue;
		if (!option_set_fallback(o, base, &err))
			abort(); /* a default of ours that we do not take */
	}
	free(values);
}

static void *fill_titled(const char *name, cfg_t *cfg, size_t *ret_count)
{
	const struct option_section *s = option_section_named(name);
	unsigned count = cfg ? cfg_size(cfg, option_section_leaf(name)) : 0;
	char *items;

	if (count > TITLED_MAX)
		count = TITLED_MAX;
	items = mem_new(count, s->size);
	for (unsigned i = 0; i < count; i++) {
		cfg_t *section = cfg_getnsec(cfg, option_section_leaf(name), i);
		char *item = items + i * s->size;

		fill(name, section, item);
		/* The title is the first member of every titled section's struct. */
		*(char **)(void *)item = mem_str(cfg_title(section));
	}
	*ret_count = count;
	return items;
}

static int line_of(cfg_t *cfg, const char *section, size_t i)
{
	cfg_t *s = cfg_getnsec(cfg, section, (unsigned)i);

	return s ? s->line : 0;
}

static char *join(const char *a, const char *b)
{
	struct buf both = BUF_INIT(strlen(a) + strlen(b) + 1);

	buf_addf(&both, "%s%s", a, b);
	return both.ptr;
}

static void replace_if_empty(char **text, char *fallback)
{
	if (**text) {
		free(fallback);
		return;
	}
	free(*text);
	*text = fallback;
}

static bool is_plain_name(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!ascii_is_alpha(s[i]) && !ascii_is_digit(s[i]) && s[i] != '-' && s[i] != '_'
			&& s[i] != '.')
			return false;
	return n > 0 && n <= 64;
}

static void finish_list(cfg_t *cfg, struct config *c, size_t i)
{
	struct config_list *l = &c->lists[i];
	int line = line_of(cfg, "list", i);
	bool too_long = false;

	if (!is_plain_name(l->name))
		fault(line, "list: a name has 1 to 64 letters, digits, '-', '_' or '.'");
	if (!*l->zone)
		fault(line,
			"list \"%s\": zone is missing: say under which DNS name it is published",
			l->name);
	else
		domain_parse_idn(slice_str(l->zone), &l->zone_name, NULL);
	if (l->lifetime_max < l->lifetime)
		fault(line, "list \"%s\": lifetime-max is less than lifetime", l->name);
	replace_if_empty(&l->title, mem_str(l->name));
	if (!*l->url && *c->webd.base_url)
		replace_if_empty(&l->url, join(c->webd.base_url, "/q?q=$"));
	if (!*l->text) {
		struct buf text = BUF_INIT(1024);
		buf_addf(&text, *l->url ? "%s: $ is listed, see %s" : "%s: $ is listed%s", l->title,
			l->url);
		too_long = text.failed;
		if (too_long)
			buf_done(&text);
		else
			replace_if_empty(&l->text, text.ptr);
	}
	if (too_long || strlen(l->text) > 200)
		fault(line,
			"list \"%s\": text has more than 200 bytes: make text, title or url "
			"shorter",
			l->name);
}

static bool has_key(const struct config_dnsd *d, const char *name)
{
	for (size_t i = 0; i < d->key_count; i++)
		if (strcmp(d->keys[i].name, name) == 0)
			return true;
	return false;
}

static void finish_transfers(cfg_t *cfg, struct config_dnsd *d)
{
	cfg_t *dnsd = cfg_getsec(cfg, "dnsd");
	struct err err;

	for (size_t i = 0; i < d->key_count; i++) {
		struct config_key *k = &d->keys[i];
		if (!domain_parse(slice_str(k->name), &k->key_name, &err))
			fault(line_of(dnsd, "key", i), "key \"%s\": %s", k->name, err.text);
		if (!*k->secret == !*k->secret_file)
			fault(line_of(dnsd, "key", i),
				"key \"%s\": give it a secret or a secret-file", k->name);
	}
	for (size_t i = 0; i < d->secondary_count; i++) {
		struct config_secondary *s = &d->secondaries[i];
		if (s->address.count == 0 && s->from.count == 0)
			fault(line_of(dnsd, "secondary", i), "secondary \"%s\": address is missing",
				s->name);
		if (*s->key && !has_key(d, s->key))
			fault(line_of(dnsd, "secondary", i),
				"secondary \"%s\": there is no key \"%s\" in dnsd", s->name,
				s->key);
	}
}

static bool has_zone(const struct config *c, const struct domain *zone)
{
	for (size_t i = 0; i < c->list_count; i++)
		if (domain_eq(&c->lists[i].zone_name, zone))
			return true;
	for (size_t i = 0; i < c->dnsd.zone_count; i++)
		if (domain_eq(&c->dnsd.zones[i].zone_name, zone))
			return true;
	return false;
}

static void finish_primary(cfg_t *cfg, const struct config *c, struct config_primary *p, size_t i)
{
	int line = line_of(cfg_getsec(cfg, "dnsd"), "primary", i);
	struct err err;

	if (!domain_parse_idn(slice_str(p->name), &p->zone_name, &err))
		fault(line, "primary \"%s\": %s", p->name, err.text);
	else if (has_zone(c, &p->zone_name))
		fault(line,
			"primary \"%s\": a transferred zone holds nothing else, and there is a "
			"list or data of that zone",
			p->name);
	for (size_t k = 0; k < i; k++)
		if (domain_eq(&c->dnsd.primaries[k].zone_name, &p->zone_name))
			fault(line, "primary \"%s\" is there twice", p->name);
	if (p->address.count == 0)
		fault(line, "primary \"%s\": address is missing", p->name);
	if (*p->key && !has_key(&c->dnsd, p->key))
		fault(line, "primary \"%s\": there is no key \"%s\" in dnsd", p->name, p->key);
}

/* The CNAME that means it (draft-vixie-dnsop-dns-rpz, 3). */
static bool rpz_target(const char *action, struct domain *ret, struct err *err)
{
	static const char *const known[][2] = {{"nxdomain", "."}, {"nodata", "*."},
		{"passthru", "rpz-passthru."}, {"drop", "rpz-drop."},
		{"tcp-only", "rpz-tcp-only."}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(action, known[i][0]) == 0)
			return domain_parse(slice_str(known[i][1]), ret, err);
	if (!domain_parse_idn(slice_str(action), ret, err) || ret->labels < 2
		|| ret->wire[1] == '*')
		return err_set(err, ERR_SYNTAX,
			"action is nxdomain, nodata, passthru, drop, tcp-only, or a domain name");
	return true;
}

static void finish_rpz(cfg_t *cfg, struct config *c)
{
	for (size_t i = 0; i < c->dnsd.rpz_count; i++) {
		struct config_rpz *z = &c->dnsd.rpz[i];
		int line = line_of(cfg_getsec(cfg, "dnsd"), "rpz", i);
		struct err err;

		if (!domain_parse_idn(slice_str(z->name), &z->zone_name, &err)
			|| !rpz_target(z->action, &z->target, &err))
			fault(line, "rpz \"%s\": %s", z->name, err.text);
		if (z->lists.count == 0)
			fault(line, "rpz \"%s\": lists is missing: name one", z->name);
		for (size_t k = 0; k < z->lists.count; k++)
			if (!config_find_list(c, slice_str(z->lists.items[k])))
				fault(line, "rpz \"%s\": there is no list \"%s\"", z->name,
					z->lists.items[k]);
		for (size_t k = 0; k < c->list_count; k++)
			if (domain_eq(&c->lists[k].zone_name, &z->zone_name))
				fault(line, "rpz \"%s\": that is the zone of list \"%s\"", z->name,
					c->lists[k].name);
	}
	domain_parse_idn(slice_str(c->dnsd.catalog), &c->dnsd.catalog_name, NULL);
}

/* "local@domain"; '*' may stand anywhere. */
static bool is_trap_address(const char *s)
{
	const char *at = strrchr(s, '@');
	struct domain d;

	return at && at != s && at[1]
	       && (strchr(at, '*') || domain_parse_idn(slice_str(at + 1), &d, NULL));
}

static void finish_trap(cfg_t *cfg, struct config_trap *t, size_t i)
{
	static const long usual[] = {[TRAP_PRISTINE] = 100,
		[TRAP_RECYCLED] = 50,
		[TRAP_TYPO] = 20,
		[TRAP_SEEDED] = 100,
		[TRAP_ROLE] = 50};
	int line = line_of(cfg_getsec(cfg, "trapd"), "trap", i);

	if (!is_plain_name(t->name))
		fault(line, "trap: a name has 1 to 64 letters, digits, '-', '_' or '.'");
	if (!t->addresses.count && !t->domains.count)
		fault(line, "trap \"%s\": give it addresses or domains", t->name);
	for (size_t k = 0; k < t->addresses.count; k++)
		if (!is_trap_address(t->addresses.items[k]))
			fault(line, "trap \"%s\": '%.100s' is no mail address", t->name,
				t->addresses.items[k]);
	if (t->weight < 0)
		t->weight = usual[t->type];
	replace_if_empty(&t->group, mem_str(t->name));
	if (!is_plain_name(t->group))
		fault(line, "trap \"%s\": a group has 1 to 64 letters, digits, '-', '_' or '.'",
			t->name);
}

/* What needs more than one option to judge, and defaults made from other options. */
static void finish(cfg_t *cfg, struct config *c)
{
	for (size_t i = 0; i < c->list_count; i++)
		finish_list(cfg, c, i);
	for (size_t i = 0; i < c->dnsd.zone_count; i++) {
		struct config_zone *z = &c->dnsd.zones[i];
		struct err err;
		int line = line_of(cfg_getsec(cfg, "dnsd"), "zone", i);

		if (!domain_parse_idn(slice_str(z->name), &z->zone_name, &err))
			fault(line, "zone \"%s\": %s", z->name, err.text);
		if (z->data.count == 0)
			fault(line,
				"zone \"%s\": data is missing: name a data set, as in "
				"{\"ip4set:file\"}",
				z->name);
	}
	finish_transfers(cfg, &c->dnsd);
	finish_rpz(cfg, c);
	for (size_t i = 0; i < c->dnsd.primary_count; i++)
		finish_primary(cfg, c, &c->dnsd.primaries[i], i);
	for (size_t i = 0; i < c->dnsd.signed_count; i++) {
		struct config_signed *z = &c->dnsd.signed_zones[i];
		struct err err;
		int line = line_of(cfg_getsec(cfg, "dnsd"), "dnssec", i);

		if (!domain_parse_idn(slice_str(z->name), &z->zone_name, &err))
			fault(line, "dnssec \"%s\": %s", z->name, err.text);
		if (!*z->key)
			fault(line, "dnssec \"%s\": key is missing: make one with sekisho dns key",
				z->name);
	}
	for (size_t i = 0; i < c->gated.list_count; i++) {
		struct config_gate_list *g = &c->gated.lists[i];
		struct err err;

		if (!domain_parse_idn(slice_str(g->zone), &g->zone_name, &err))
			fault(line_of(cfg_getsec(cfg, "gated"), "list", i), "list \"%s\": %s",
				g->zone, err.text);
	}
	for (size_t i = 0; i < c->trapd.trap_count; i++)
		finish_trap(cfg, &c->trapd.traps[i], i);
	if (!*c->trapd.tls_certificate != !*c->trapd.tls_key)
		fault(0, "trapd: tls-certificate and tls-key belong together: give both or none");
	replace_if_empty(&c->listd.store, join(c->state_dir, "/sekisho.db"));
	replace_if_empty(&c->trapd.secret_file, join(c->state_dir, "/trapd/secret"));
	c->socket_path = join(c->run_dir, "/listd.sock");
	c->dnsd_socket_path = join(c->run_dir, "/dnsd/dnsd.sock");
	c->publish_dir = join(c->state_dir, "/publish");
	c->zones_dir = join(c->state_dir, "/zones");
}

static struct config *build(cfg_t *cfg, const char *path)
{
	struct config *c = mem_new(1, sizeof *c);
	cfg_t *dnsd = cfg_getsec(cfg, "dnsd"), *gated = cfg_getsec(cfg, "gated");

	c->path = mem_str(path);
	fill("", cfg, c);
	c->lists = fill_titled("list", cfg, &c->list_count);
	fill("dnsd", dnsd, &c->dnsd);
	c->dnsd.zones = fill_titled("dnsd|zone", dnsd, &c->dnsd.zone_count);
	c->dnsd.keys = fill_titled("dnsd|key", dnsd, &c->dnsd.key_count);
	c->dnsd.secondaries = fill_titled("dnsd|secondary", dnsd, &c->dnsd.secondary_count);
	c->dnsd.primaries = fill_titled("dnsd|primary", dnsd, &c->dnsd.primary_count);
	c->dnsd.rpz = fill_titled("dnsd|rpz", dnsd, &c->dnsd.rpz_count);
	c->dnsd.signed_zones = fill_titled("dnsd|dnssec", dnsd, &c->dnsd.signed_count);
	fill("trapd", cfg_getsec(cfg, "trapd"), &c->trapd);
	c->trapd.traps = fill_titled("trapd|trap", cfg_getsec(cfg, "trapd"), &c->trapd.trap_count);
	fill("gated", gated, &c->gated);
	c->gated.lists = fill_titled("gated|list", gated, &c->gated.list_count);
	fill("webd", cfg_getsec(cfg, "webd"), &c->webd);
	fill("listd", cfg_getsec(cfg, "listd"), &c->listd);
	fill("check", cfg_getsec(cfg, "check"), &c->check);
	finish(cfg, c);
	return c;
}

struct config *config_text(struct slice text, const char *name, struct buf *ret_faults)
{
	_cleanup_buf_ struct buf marked = BUF_INIT(FILE_MAX + 64);
	struct config *c = NULL;
	cfg_opt_t *opts;
	cfg_t *cfg;

	buf_reset(ret_faults);
	loading.faults = ret_faults;
	loading.path = name;
	if (text.len && memchr(text.ptr, 0, text.len)) {
		fault(0, "holds a NUL byte: this is no text file");
		return NULL;
	}
	buf_add_slice(&marked, text);
	buf_add_str(&marked, "\n" END_MARK " = yes\n");
	opts = make_opts(&option_sections[0]);
	cfg = cfg_init(opts, CFGF_NONE);
	cfg_set_error_function(cfg, syntax_fault);
	set_checkers(cfg);
	if (cfg_parse_buf(cfg, buf_str(&marked)) == CFG_SUCCESS)
		c = build(cfg, name);
	else if (ret_faults->len == 0)
		fault(cfg->line, "cannot be understood");
	cfg_free(cfg);
	free_opts(opts);
	return ret_faults->len ? config_free(c) : c;
}

struct config *config_load(const char *path, struct buf *ret_faults)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct err err;

	if (!file_read(path, FILE_MAX, &text, &err)) {
		buf_reset(ret_faults);
		buf_addf(ret_faults, "%s\n", err.text);
		return NULL;
	}
	return config_text(buf_slice(&text), path, ret_faults);
}

const struct config_list *config_find_list(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->list_count; i++)
		if (slice_eq(slice_str(c->lists[i].name), name))
			return &c->lists[i];
	return NULL;
}
