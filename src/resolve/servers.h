/* servers.h - which servers a text names. */
#pragma once

#include "io/socket.h"

/* "127.0.0.1", "127.0.0.1:53", "::1", "[::1]:53"; port 53 where none is given. */
bool server_parse(struct slice text, struct socket_address *ret, struct err *err);
/* The nameserver lines of resolv.conf(5), at most max; scoped addresses are left out. */
size_t servers_of_resolv_conf(struct slice text, struct socket_address *ret, size_t max);
