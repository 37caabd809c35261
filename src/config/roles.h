/* roles.h - who talks to us over a Unix socket: users become roles. Which role may send what, each server
 * has in a table of its own. */
#pragma once

#include "base/slice.h"
#include "config/config.h"

#include <sys/types.h>

enum role {
	ROLE_NONE = 0,
	ROLE_TRAPD = 1,
	ROLE_WEBD = 2,
	ROLE_GATED = 4,
	ROLE_DNSD = 8,
	ROLE_ADMIN = 16,
};
#define ROLE_ANY 31u

/* The users of the programs, looked up once, before the sandbox. */
struct roles {
	uid_t own;
	uid_t trapd, webd, gated,
		dnsd; /* (uid_t)-1: no such user here, so nobody but us and root */
};

/* user: the one that we run as, or shall; "": as now. A user that is configured and does not exist is no error: nobody can be that user then. */
struct roles roles_find(const struct config *c, const char *user);
/* The role of this name, when this user may have it: the program's own user, ours, or root; ROLE_NONE
 * when not. "admin" is for us and root. */
enum role roles_grant(const struct roles *r, struct slice name, uid_t uid);
const char *role_word(enum role r);
enum role role_parse(struct slice name);
