/* refresh.h - one transferred zone: its copy on disk and in memory, and how it stays up to date. In the loop,
 * but for the work of taking changes over, which has a thread of its own. */
#pragma once

#include "config/config.h"
#include "dns/tsig.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"
#include "io/loop.h"
#include "io/socket.h"

struct refresh;

/* What all zones share. */
struct refresh_room {
	struct loop *loop;
	struct grace *grace;
	loop_fn *
		changed; /* refresh_serve() would give something else. From the loop, after refresh_new() */
	void *ctx;
	size_t active; /* zones that are being brought up to date */
};

struct refresh_setup {
	const struct config_primary *config;
	const struct socket_address *addresses;
	size_t address_count;
	const struct tsig_key *key; /* NULL: none */
	const char *folder;
}; /* all borrowed */

struct refresh *refresh_new(struct refresh_room *room, const struct refresh_setup *setup);
struct refresh *refresh_free(struct refresh *r); /* waits for its thread; NULL is fine */

/* Takes the copy that is there, if any; logs what is wrong with it. Before the loop runs. */
void refresh_load(struct refresh *r);
/* From now on it is kept up to date; the first look is at once. */
void refresh_start(struct refresh *r);
/* Somebody says that there is news: that primary is asked first (one more than there are: any). */
void refresh_notified(struct refresh *r, size_t primary);
void refresh_serve(const struct refresh *r, struct served *to);

struct refresh_state {
	const char *primary; /* that is asked, or will be; lives until the next call */
	bool has_copy, expired;
	uint32_t serial; /* of the copy; and its entries */
	uint64_t entries;
	int64_t confirmed_ms; /* when a primary said last that it is the newest, since 1970; 0: none did */
	unsigned failures; /* looks since then at which no primary helped */
	const char *error; /* the last of them; "" without one */
};
struct refresh_state refresh_state(const struct refresh *r);
