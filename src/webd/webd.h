/* webd.h - the portal: why is this address listed, until when, and how does it leave. HTTP by
 * libmicrohttpd behind a TLS proxy, in our own loop, so that listd and the DNS can answer later:
 *
 *	serve.c		connections in, bytes of answers out; limits, deadlines
 *	request.c	one request taken apart
 *	pages.c		which page; asks listd and the DNS (an exchange waits, the loop does not)
 *	view_*.c	what the page says, as one JSON object
 *	page.c		the object as HTML or JSON in the reader's language
 */
#pragma once

#include "config/config.h"
#include "io/loop.h"

struct webd;

/* Everything that needs rights: the socket, the templates. config stays the caller's. */
struct webd *webd_open(struct loop *loop, const struct config *config, struct err *err);
struct webd *webd_free(struct webd *w);
/* The port it listens on (after port 0). */
uint16_t webd_port(const struct webd *w);
