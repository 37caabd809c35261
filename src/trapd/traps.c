/* traps.c - hash tables of addresses and domains, and a list of patterns. */
#include "trapd/traps.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/siphash.h"

#include <stdlib.h>

#define ADDRESS_MAX ((size_t)2048)

/* Names by their keyed hash: 64 bits of it stand for the name. */
struct table {
	struct slot {
		uint64_t hash; /* 0: empty */
		const struct trap_rule *rule;
	} * slots;
	size_t size, count; /* size: a power of two, at least twice count */
};

struct pattern {
	char *text; /* canonical, with '*' */
	const struct trap_rule *rule;
};

struct traps {
	uint8_t key[16];
	struct trap_rule *rules; /* [0]: `domains`, or any recipient */
	struct table addresses, domains, above;
	struct pattern *patterns;
	size_t pattern_count;
	char **names; /* of domains that have traps */
	size_t name_count;
	bool any;
};

static struct slot *table_slot(const struct table *t, uint64_t hash)
{
	size_t i = hash & (t->size - 1);

	while (t->slots[i].hash && t->slots[i].hash != hash)
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static const struct slot *table_find(const struct table *t, uint64_t hash)
{
	const struct slot *s = t->size ? table_slot(t, hash) : NULL;

	return s && s->hash ? s : NULL;
}

/* The slot of this hash, new or old. */
static struct slot *table_add(struct table *t, uint64_t hash, const struct trap_rule *rule)
{
	struct slot *s;

	if (2 * (t->count + 1) > t->size) {
		struct table bigger = {.size = MAX(2 * t->size, (size_t)16), .count = t->count};

		bigger.slots = mem_new(bigger.size, sizeof *bigger.slots);
		for (size_t i = 0; i < t->size; i++)
			if (t->slots[i].hash)
				*table_slot(&bigger, t->slots[i].hash) = t->slots[i];
		free(t->slots);
		*t = bigger;
	}
	s = table_slot(t, hash);
	if (!s->hash) {
		*s = (struct slot){hash, rule};
		t->count++;
	}
	return s;
}

static uint64_t hash_of(const struct traps *t, struct slice s)
{
	uint64_t hash = siphash(t->key, s);

	return hash ? hash : 1;
}

static uint64_t hash_of_domain(const struct traps *t, const struct domain *d)
{
	return hash_of(t, slice_of(d->wire, d->len));
}

/* One form for all the ways to write an address: lower case, the domain as DNS has it. */
static void add_canonical(struct buf *to, struct slice local, struct slice domain)
{
	struct domain d;

	for (size_t i = 0; i < local.len; i++)
		buf_add_char(to, ascii_lower(local.ptr[i]));
	buf_add_char(to, '@');
	if (slice_find(domain, '*') == domain.len && domain_parse_idn(domain, &d, NULL)) {
		buf_add_str(to, domain_text(&d).s);
		return;
	}
	for (size_t i = 0; i < domain.len; i++)
		buf_add_char(to, ascii_lower(domain.ptr[i]));
}

/* '*' is any run of letters. Going back to the last '*' is enough: the time is at most the product of
 * both lengths. */
static bool pattern_fits(struct slice pattern, struct slice s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < s.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = i;
		} else if (p < pattern.len && pattern.ptr[p] == s.ptr[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

/* Remembers that this domain has traps. rule: of every address there; NULL: only of some. */
static bool add_domain(
	struct traps *t, const char *text, const struct trap_rule *rule, struct err *err)
{
	struct slot *slot;
	struct domain d;

	if (!domain_parse_idn(slice_str(text), &d, err))
		return err_prefix(err, "trapd: domains: '%.100s': ", text);
	slot = (struct slot *)table_find(&t->domains, hash_of_domain(t, &d));
	if (!slot) {
		slot = table_add(&t->domains, hash_of_domain(t, &d), rule);
		t->names[t->name_count++] = mem_str(text);
		for (unsigned i = 1; i < d.labels; i++) {
			struct domain above = domain_parent(&d, i);

			table_add(&t->above, hash_of_domain(t, &above), NULL);
		}
		return true;
	}
	if (rule && slot->rule)
		return err_set(err, ERR_SYNTAX,
			"trapd: domain '%.100s' stands twice (trap \"%s\" and trap \"%s\"): name "
			"it "
			"once",
			text, slot->rule->name, rule->name);
	if (rule)
		slot->rule = rule;
	return true;
}

static bool add_address(
	struct traps *t, const char *text, const struct trap_rule *rule, struct err *err)
{
	_cleanup_buf_ struct buf canonical = BUF_INIT(ADDRESS_MAX);
	const char *at = strrchr(text, '@');
	struct slot *slot;

	add_canonical(&canonical, slice_of(text, (size_t)(at - text)), slice_str(at + 1));
	if (canonical.failed)
		return err_set(
			err, ERR_LIMIT, "trapd: trap \"%s\": an address is too long", rule->name);
	if (!strchr(at, '*') && !add_domain(t, at + 1, NULL, err))
		return false;
	if (strchr(text, '*')) {
		t->patterns[t->pattern_count++] =
			(struct pattern){mem_str(buf_str(&canonical)), rule};
		return true;
	}
	slot = table_add(&t->addresses, hash_of(t, buf_slice(&canonical)), rule);
	if (slot->rule != rule)
		return err_set(err, ERR_SYNTAX,
			"trapd: address '%.100s' stands in trap \"%s\" and in trap \"%s\": name it "
			"once",
			text, slot->rule->name, rule->name);
	return true;
}

static bool add_section(
	struct traps *t, const struct config_trap *c, struct trap_rule *rule, struct err *err)
{
	*rule = (struct trap_rule){c->name, (enum trap_type)c->type, (unsigned)c->weight, c->group};
	for (size_t i = 0; i < c->addresses.count; i++)
		if (!add_address(t, c->addresses.items[i], rule, err))
			return false;
	for (size_t i = 0; i < c->domains.count; i++)
		if (!add_domain(t, c->domains.items[i], rule, err))
			return false;
	return true;
}

struct traps *traps_new(const struct config_trapd *config, const uint8_t key[16], struct err *err)
{
	struct traps *t = mem_new(1, sizeof *t);
	size_t domains = config->domains.count, addresses = 0;

	memcpy(t->key, key, sizeof t->key);
	for (size_t i = 0; i < config->trap_count; i++) {
		domains += config->traps[i].domains.count + config->traps[i].addresses.count;
		addresses += config->traps[i].addresses.count;
	}
	t->rules = mem_new(config->trap_count + 1, sizeof *t->rules);
	t->names = mem_new(domains + 1, sizeof *t->names);
	t->patterns = mem_new(addresses + 1, sizeof *t->patterns);
	t->rules[0] = (struct trap_rule){"", TRAP_PRISTINE, 100, ""};
	t->any = !config->domains.count && !config->trap_count;
	for (size_t i = 0; i < config->domains.count; i++)
		if (!add_domain(t, config->domains.items[i], &t->rules[0], err))
			return traps_free(t);
	for (size_t i = 0; i < config->trap_count; i++)
		if (!add_section(t, &config->traps[i], &t->rules[i + 1], err))
			return traps_free(t);
	return t;
}

struct traps *traps_free(struct traps *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->name_count; i++)
		free(t->names[i]);
	for (size_t i = 0; i < t->pattern_count; i++)
		free(t->patterns[i].text);
	free(t->names);
	free(t->patterns);
	free(t->addresses.slots);
	free(t->domains.slots);
	free(t->above.slots);
	free(t->rules);
	free(t);
	return NULL;
}

static const struct slot *find_domain(const struct traps *t, struct slice text)
{
	struct domain d;

	return domain_parse_idn(text, &d, NULL) ? table_find(&t->domains, hash_of_domain(t, &d))
						: NULL;
}

const struct trap_rule *traps_find(const struct traps *t, const struct smtp_path *to)
{
	_cleanup_buf_ struct buf address = BUF_INIT(ADDRESS_MAX);
	const struct slot *slot;

	if (t->any)
		return &t->rules[0];
	if (!to->domain.len)
		return NULL;
	add_canonical(&address, to->local, to->domain);
	slot = address.failed ? NULL : table_find(&t->addresses, hash_of(t, buf_slice(&address)));
	if (slot)
		return slot->rule;
	for (size_t i = 0; i < t->pattern_count && !address.failed; i++)
		if (pattern_fits(slice_str(t->patterns[i].text), buf_slice(&address)))
			return t->patterns[i].rule;
	slot = find_domain(t, to->domain);
	return slot ? slot->rule : NULL;
}

bool traps_have_domain(const struct traps *t, struct slice text)
{
	return find_domain(t, text) != NULL;
}

bool traps_are_near(const struct traps *t, const struct domain *d)
{
	if (table_find(&t->above, hash_of_domain(t, d)))
		return true;
	for (unsigned i = 0; i < d->labels; i++) {
		struct domain above = domain_parent(d, i);

		if (table_find(&t->domains, hash_of_domain(t, &above)))
			return true;
	}
	return false;
}

const char *traps_domain(const struct traps *t, size_t i)
{
	return i < t->name_count ? t->names[i] : NULL;
}
