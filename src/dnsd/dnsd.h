/* dnsd.h - the DNS server as a whole, in the order every daemon goes: open what needs rights, give them
 * up, serve. */
#pragma once

#include "config/config.h"

struct dnsd;

/* Sockets, zones, files. The configuration must outlive it. NULL with words in err. */
struct dnsd *dnsd_open(const struct config *config, struct err *err);
/* Gives up rights: nothing new can be opened but the folders of the snapshot and of the data files. */
bool dnsd_enter_sandbox(struct dnsd *d, struct err *err);
/* Reads the data, says READY, answers until SIGTERM or SIGINT. */
bool dnsd_serve(struct dnsd *d, struct err *err);
struct dnsd *dnsd_free(struct dnsd *d); /* NULL is fine */
