/* control.c - who asks about this server, and what they may ask. */
#include "dnsd/control/control.h"

#include "base/mem.h"
#include "config/roles.h"
#include "io/file.h"
#include "io/ipc.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

struct control {
	const struct report *report;
	struct roles roles;
	struct ipc_server *server;
	struct top *top;
	struct ipc_peer **watching;
	size_t watching_count;
};

/* ---- requests ---- */

typedef json_t *answer_fn(struct control *c, struct ipc_peer *peer, const json_t *message);

static json_t *status(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	json_t *reply = ipc_success(message);

	(void)peer;
	report_status(c->report, reply);
	return reply;
}

static json_t *list(struct control *c, const json_t *message, const char *name, report_list_fn *fn)
{
	const json_t *from = json_object_get(message, "from");
	json_t *reply, *items;
	size_t next;

	if (from && (!json_is_integer(from) || json_integer_value(from) < 0))
		return ipc_failure(message, "field", "'from' must be a whole number, not below 0");
	items = json_array();
	next = fn(c->report, (size_t)json_integer_value(from), items);
	reply = ipc_success(message);
	json_object_set_new(reply, name, items);
	if (next)
		json_object_set_new(reply, "next", json_integer((json_int_t)next));
	return reply;
}

static json_t *zones(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	(void)peer;
	return list(c, message, "zones", report_zones);
}

static json_t *data(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	(void)peer;
	return list(c, message, "data", report_data);
}

static json_t *secondaries(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	(void)peer;
	return list(c, message, "secondaries", report_secondaries);
}

static bool is_watching(const struct control *c, const struct ipc_peer *peer)
{
	for (size_t i = 0; i < c->watching_count; i++)
		if (c->watching[i] == peer)
			return true;
	return false;
}

/* Who has asked once watches until it hangs up. */
static json_t *top(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	json_t *reply;

	if (!is_watching(c, peer)) {
		c->watching =
			mem_resize(c->watching, (c->watching_count + 1) * sizeof *c->watching);
		c->watching[c->watching_count++] = peer;
		top_begin(c->top);
	}
	reply = ipc_success(message);
	top_report(c->top, reply);
	return reply;
}

static void gone(void *ctx, struct ipc_peer *peer)
{
	struct control *c = ctx;

	for (size_t i = 0; i < c->watching_count; i++)
		if (c->watching[i] == peer) {
			c->watching[i] = c->watching[--c->watching_count];
			top_end(c->top);
			return;
		}
}

static const struct request_type {
	const char *name;
	unsigned roles; /* who may send it */
	answer_fn *answer;
} types[] = {
	{"status", ROLE_ANY, status},
	{"zones", ROLE_ANY, zones},
	{"data", ROLE_ANY, data},
	{"secondaries", ROLE_ANY, secondaries},
	{"top", ROLE_ADMIN, top},
};

static const struct request_type *type_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (slice_eq(name, slice_str(types[i].name)))
			return &types[i];
	return NULL;
}

static json_t *hello(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	const json_t *name = json_object_get(message, "role");
	enum role role = roles_grant(&c->roles,
		slice_of(json_string_value(name), json_string_length(name)), ipc_peer_uid(peer));

	if (!json_is_string(name))
		return ipc_failure(message, "field", "'role' must be text");
	if (ipc_peer_role(peer))
		return ipc_failure(
			message, "role", "the role is set already, once for each connection");
	if (role == ROLE_NONE)
		return ipc_failure(message, "role", "this user may not have this role");
	ipc_peer_set_role(peer, role_word(role));
	return ipc_success(message);
}

static json_t *reply_to(struct control *c, struct ipc_peer *peer, const json_t *message)
{
	const json_t *type = json_object_get(message, "type");
	struct slice name = slice_of(json_string_value(type), json_string_length(type));
	const struct request_type *t;

	if (!json_is_string(type))
		return ipc_failure(message, "syntax", "a message has a text 'type'");
	if (slice_eq(name, SLICE("hello")))
		return hello(c, peer, message);
	if (!ipc_peer_role(peer))
		return ipc_failure(message, "hello-first", "say hello with a role first");
	t = type_find(name);
	if (!t)
		return ipc_failure(message, "unknown-type", "there is no such type of message");
	if (!(t->roles & role_parse(slice_str(ipc_peer_role(peer)))))
		return ipc_failure(message, "role", "this role may not send this type of message");
	return t->answer(c, peer, message);
}

static void request(void *ctx, struct ipc_peer *peer, json_t *message)
{
	ipc_reply(peer, reply_to(ctx, peer, message));
}

/* ---- start and end ---- */

/* The folder of the socket is dnsd's own, so that it needs no right to any other. */
static bool make_folder(const struct config *c, struct err *err)
{
	char *folder = mem_str(c->dnsd_socket_path), *user = mem_str(c->dnsd.user);
	const struct passwd *pw;
	bool ok;

	*strrchr(folder, '/') = '\0';
	user[strcspn(user, ":")] = '\0';
	pw = *user && geteuid() == 0 ? getpwnam(user) : NULL;
	ok = file_make_folder(folder, 0755, err);
	if (ok && pw && chown(folder, pw->pw_uid, pw->pw_gid) != 0)
		ok = err_errno(err, "cannot give %s to user %s", folder, user);
	free(folder);
	free(user);
	return ok;
}

struct control *control_new(
	struct loop *l, const struct report *r, struct watches *w, struct err *err)
{
	static const struct ipc_server_handler handler = {.request = request, .gone = gone};
	struct control *c = mem_new(1, sizeof *c);

	c->report = r;
	c->top = top_new(l, r, w);
	c->roles = roles_find(r->config, r->config->dnsd.user);
	if (make_folder(r->config, err))
		c->server = ipc_server_new(l, r->config->dnsd_socket_path, 0666, &handler, c, err);
	return c->server ? c : control_free(c);
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	ipc_server_free(c->server);
	top_free(c->top);
	free(c->watching);
	free(c);
	return NULL;
}
