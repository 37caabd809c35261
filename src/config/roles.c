/* roles.c - users become roles. */
#include "config/roles.h"

#include <pwd.h>
#include <unistd.h>

#define NOBODY ((uid_t)-1)

static const struct {
	enum role role;
	const char *word;
} words[] = {
	{ROLE_TRAPD, "trapd"},
	{ROLE_WEBD, "webd"},
	{ROLE_GATED, "gated"},
	{ROLE_DNSD, "dnsd"},
	{ROLE_ADMIN, "admin"},
};

static uid_t uid_of(const char *user)
{
	char name[64]; /* of "name" or "name:group"; longer ones no system has */
	struct passwd *pw;

	if (!slice_copy(slice_take(slice_str(user), slice_find(slice_str(user), ':')), name,
		    sizeof name))
		return NOBODY;
	pw = *name ? getpwnam(name) : NULL;
	return pw ? pw->pw_uid : NOBODY;
}

struct roles roles_find(const struct config *c, const char *user)
{
	struct roles r = {
		.own = getuid(),
		.trapd = uid_of(c->trapd.user),
		.webd = uid_of(c->webd.user),
		.gated = uid_of(c->gated.user),
		.dnsd = uid_of(c->dnsd.user),
	};
	uid_t own = uid_of(user);

	/* Started as root, we become that user in a moment. */
	if (own != NOBODY && r.own == 0)
		r.own = own;
	return r;
}

const char *role_word(enum role r)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].role == r)
			return words[i].word;
	return "none";
}

enum role role_parse(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq(name, slice_str(words[i].word)))
			return words[i].role;
	return ROLE_NONE;
}

enum role roles_grant(const struct roles *r, struct slice name, uid_t uid)
{
	enum role role = role_parse(name);
	uid_t user = NOBODY;

	if (uid == 0 || uid == r->own)
		return role;
	if (uid == NOBODY)
		return ROLE_NONE;
	if (role == ROLE_TRAPD)
		user = r->trapd;
	if (role == ROLE_WEBD)
		user = r->webd;
	if (role == ROLE_GATED)
		user = r->gated;
	if (role == ROLE_DNSD)
		user = r->dnsd;
	return user == uid ? role : ROLE_NONE;
}
