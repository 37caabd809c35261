/* primaries.c - the zones that are transferred from other servers: from the configuration, and who is woken. */
#include "dnsd/copy/primaries.h"

#include "base/mem.h"
#include "dnsd/copy/refresh.h"
#include "io/file.h"
#include "io/socket.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FOLDER_MODE 0750

struct zone {
	struct socket_address *addresses;
	struct refresh *refresh;
};

struct primaries {
	struct refresh_room room;
	struct notified notified;
	struct zone *zones; /* beside those of notified */
	int woken;	    /* eventfd */
	struct loop_watch *watch;
};

/* From any thread. */
static void wake(void *ctx)
{
	const struct primaries *p = ctx;
	uint64_t one = 1;

	(void)!write(p->woken, &one, sizeof one); /* full: it is awake */
}

static void woken(void *ctx, int fd, unsigned events)
{
	struct primaries *p = ctx;
	uint64_t n;

	(void)events;
	(void)!read(fd, &n, sizeof n);
	for (size_t i = 0; i < p->notified.count; i++) {
		unsigned by = atomic_exchange(&p->notified.zones[i].by, 0);
		if (by)
			refresh_notified(p->zones[i].refresh, by - 1);
	}
}

/* While we may: as root, for the user that we become. */
static bool make_folder(const struct config *config, struct err *err)
{
	char *user = mem_str(config->dnsd.user);
	const struct passwd *pw;
	bool ok = file_make_folder(config->zones_dir, FOLDER_MODE, err);

	user[strcspn(user, ":")] = '\0';
	pw = *user && geteuid() == 0 ? getpwnam(user) : NULL;
	if (ok && pw && chown(config->zones_dir, pw->pw_uid, pw->pw_gid) != 0)
		ok = err_errno(err, "cannot give %s to user %s", config->zones_dir, user);
	free(user);
	return ok;
}

static const struct tsig_key *key_named(const struct secondaries *keys, const char *name)
{
	struct domain d;

	if (*name && domain_parse(slice_str(name), &d, NULL))
		for (size_t i = 0; i < keys->key_count; i++)
			if (domain_eq(&keys->keys[i].name, &d))
				return &keys->keys[i];
	return NULL;
}

static void add_zone(struct primaries *p, const struct config *config,
	const struct config_primary *c, const struct secondaries *keys)
{
	struct notified_zone *n = &p->notified.zones[p->notified.count];
	struct zone *z = &p->zones[p->notified.count++];
	size_t count = 0;

	z->addresses = mem_new(c->address.count, sizeof *z->addresses);
	n->ips = mem_new(c->address.count, sizeof *n->ips);
	for (size_t i = 0; i < c->address.count; i++) {
		struct socket_address *a = &z->addresses[count];
		if (socket_address_parse(slice_str(c->address.items[i]), a, NULL))
			n->ips[count++] = ip_unmap(socket_address_ip(a, NULL));
	}
	n->zone = c->zone_name;
	n->ip_count = count;
	n->from = &c->notify_from;
	n->key = key_named(keys, c->key);
	z->refresh = refresh_new(&p->room, &(struct refresh_setup){.config = c,
						   .addresses = z->addresses,
						   .address_count = count,
						   .key = n->key,
						   .folder = config->zones_dir});
}

struct primaries *primaries_new(struct loop *l, struct grace *g, const struct config *config,
	const struct secondaries *keys, struct err *err)
{
	struct primaries *p = mem_new(1, sizeof *p);
	size_t count = config->dnsd.primary_count;

	p->room = (struct refresh_room){.loop = l, .grace = g};
	p->woken = -1;
	p->notified.wake = wake;
	p->notified.ctx = p;
	p->notified.zones = mem_new(count + 1, sizeof *p->notified.zones);
	p->zones = mem_new(count + 1, sizeof *p->zones);
	if (count == 0)
		return p;
	if (!make_folder(config, err))
		return primaries_free(p);
	p->woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->woken < 0) {
		err_errno(err, "eventfd");
		return primaries_free(p);
	}
	p->watch = loop_watch_new(l, p->woken, LOOP_READ, woken, p);
	for (size_t i = 0; i < count; i++)
		add_zone(p, config, &config->dnsd.primaries[i], keys);
	return p;
}

struct primaries *primaries_free(struct primaries *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->notified.count; i++) {
		refresh_free(p->zones[i].refresh);
		free(p->zones[i].addresses);
		free(p->notified.zones[i].ips);
	}
	loop_watch_free(p->watch);
	if (p->woken >= 0)
		close(p->woken);
	free(p->zones);
	free(p->notified.zones);
	free(p);
	return NULL;
}

const struct notified *primaries_notified(const struct primaries *p)
{
	return p->notified.count ? &p->notified : NULL;
}

void primaries_load(struct primaries *p)
{
	for (size_t i = 0; i < p->notified.count; i++)
		refresh_load(p->zones[i].refresh);
}

void primaries_start(struct primaries *p, loop_fn *changed, void *ctx)
{
	p->room.changed = changed;
	p->room.ctx = ctx;
	for (size_t i = 0; i < p->notified.count; i++)
		refresh_start(p->zones[i].refresh);
}

struct refresh_state primaries_state(const struct primaries *p, size_t i)
{
	return refresh_state(p->zones[i].refresh);
}

void primaries_serve(const struct primaries *p, struct served *to)
{
	for (size_t i = 0; i < p->notified.count; i++)
		refresh_serve(p->zones[i].refresh, to);
}
