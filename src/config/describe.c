/* describe.c - walks over a whole configuration: prints it, explains its options, frees it. */
#include "base/duration.h"
#include "config/options.h"

typedef void walk_fn(const struct option_section *s, const char *title, void *base, void *ctx);

static void walk_titled(const char *name, void *items, size_t count, walk_fn *fn, void *ctx)
{
	const struct option_section *s = option_section_named(name);

	for (size_t i = 0; i < count; i++) {
		char *item = (char *)items + i * s->size;
		fn(s, *(char **)(void *)item, item, ctx);
	}
}

static void print_section(const struct option_section *s, const char *title, void *base, void *ctx)
{
	FILE *to = ctx;
	const char *indent = strchr(s->name, '|') ? "\t\t" : "\t";

	fprintf(to, title ? "%.*s%s \"%s\" {\n" : "%.*s%s {\n", (int)strlen(indent) - 1, indent,
		option_section_leaf(s->name), title ? title : "");
	for (const struct option *o = s->options; o->name; o++) {
		fputs(indent, to);
		option_print(o, base, to);
	}
	/* These hold sections of their own: their printers close them. */
	if (strcmp(s->name, "dnsd") != 0 && strcmp(s->name, "trapd") != 0
		&& strcmp(s->name, "gated") != 0)
		fprintf(to, "%.*s}\n", (int)strlen(indent) - 1, indent);
}

void config_print(const struct config *c, FILE *to)
{
	for (const struct option *o = option_section_named("")->options; o->name; o++)
		option_print(o, c, to);
	walk_titled("list", c->lists, c->list_count, print_section, to);
	print_section(option_section_named("dnsd"), NULL, (void *)&c->dnsd, to);
	walk_titled("dnsd|zone", c->dnsd.zones, c->dnsd.zone_count, print_section, to);
	walk_titled("dnsd|key", c->dnsd.keys, c->dnsd.key_count, print_section, to);
	walk_titled(
		"dnsd|secondary", c->dnsd.secondaries, c->dnsd.secondary_count, print_section, to);
	walk_titled("dnsd|primary", c->dnsd.primaries, c->dnsd.primary_count, print_section, to);
	walk_titled("dnsd|rpz", c->dnsd.rpz, c->dnsd.rpz_count, print_section, to);
	walk_titled("dnsd|dnssec", c->dnsd.signed_zones, c->dnsd.signed_count, print_section, to);
	fputs("}\n", to);
	print_section(option_section_named("trapd"), NULL, (void *)&c->trapd, to);
	walk_titled("trapd|trap", c->trapd.traps, c->trapd.trap_count, print_section, to);
	fputs("}\n", to);
	print_section(option_section_named("gated"), NULL, (void *)&c->gated, to);
	walk_titled("gated|list", c->gated.lists, c->gated.list_count, print_section, to);
	fputs("}\n", to);
	print_section(option_section_named("webd"), NULL, (void *)&c->webd, to);
	print_section(option_section_named("listd"), NULL, (void *)&c->listd, to);
	print_section(option_section_named("check"), NULL, (void *)&c->check, to);
}

static void free_section(const struct option_section *s, const char *title, void *base, void *ctx)
{
	(void)ctx;
	for (const struct option *o = s->options; o->name; o++)
		option_done(o, base);
	free((void *)title);
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	walk_titled("list", c->lists, c->list_count, free_section, NULL);
	walk_titled("dnsd|zone", c->dnsd.zones, c->dnsd.zone_count, free_section, NULL);
	walk_titled("dnsd|key", c->dnsd.keys, c->dnsd.key_count, free_section, NULL);
	walk_titled(
		"dnsd|secondary", c->dnsd.secondaries, c->dnsd.secondary_count, free_section, NULL);
	walk_titled("dnsd|primary", c->dnsd.primaries, c->dnsd.primary_count, free_section, NULL);
	walk_titled("dnsd|rpz", c->dnsd.rpz, c->dnsd.rpz_count, free_section, NULL);
	walk_titled("dnsd|dnssec", c->dnsd.signed_zones, c->dnsd.signed_count, free_section, NULL);
	walk_titled("trapd|trap", c->trapd.traps, c->trapd.trap_count, free_section, NULL);
	walk_titled("gated|list", c->gated.lists, c->gated.list_count, free_section, NULL);
	free_section(option_section_named(""), NULL, c, NULL);
	free_section(option_section_named("dnsd"), NULL, &c->dnsd, NULL);
	free_section(option_section_named("trapd"), NULL, &c->trapd, NULL);
	free_section(option_section_named("gated"), NULL, &c->gated, NULL);
	free_section(option_section_named("webd"), NULL, &c->webd, NULL);
	free_section(option_section_named("listd"), NULL, &c->listd, NULL);
	free_section(option_section_named("check"), NULL, &c->check, NULL);
	free(c->lists);
	free(c->dnsd.zones);
	free(c->dnsd.keys);
	free(c->dnsd.secondaries);
	free(c->dnsd.primaries);
	free(c->dnsd.rpz);
	free(c->dnsd.signed_zones);
	free(c->trapd.traps);
	free(c->gated.lists);
	free(c->socket_path);
	free(c->dnsd_socket_path);
	free(c->publish_dir);
	free(c->zones_dir);
	free(c->path);
	free(c);
	return NULL;
}

static void help_default(const struct option *o, char *ret, size_t size)
{
	if (option_is_many(o)) {
		struct slice rest = slice_str(o->fallback), word;
		size_t n = (size_t)snprintf(ret, size, "{");

		for (int i = 0; slice_cut_word(&rest, &word); i++)
			n += (size_t)snprintf(
				ret + n, size - n, "%s%.*s", i ? ", " : "", SLICE_FMT(word));
		snprintf(ret + n, size - n, "}");
	} else {
		snprintf(ret, size, "%s", *o->fallback ? o->fallback : "\"\"");
	}
}

void config_help(FILE *to)
{
	for (const struct option_section *s = option_sections; s->name; s++) {
		fprintf(to, "%s%s%s  - %s\n", *s->name ? s->name : "(top)",
			s->titled ? " \"name\"" : "", *s->name ? " { }" : "", s->help);
		for (const struct option *o = s->options; o->name; o++) {
			char fallback[300];

			help_default(o, fallback, sizeof fallback);
			fprintf(to, "  %-20s %-24s %s", o->name, fallback, o->help);
			if (o->type == OPTION_COUNT)
				fprintf(to, " (%ld to %ld)", o->min, o->max);
			if (o->type == OPTION_DURATION)
				fprintf(to, " (%s to %s)", duration_text(o->min).s,
					duration_text(o->max).s);
			for (int i = 0; o->words && o->words[i]; i++)
				fprintf(to, "%s%s", i ? ", " : " (", o->words[i]);
			fprintf(to, o->words ? ")\n" : "\n");
		}
	}
}
