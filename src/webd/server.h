/* server.h - HTTP: libmicrohttpd in our loop. Limits on everything a client can make large or slow. */
#pragma once

#include "webd/exchange.h"

struct server;

struct server *server_open(struct webd *w, struct err *err);
/* Answers what is waiting with "gone", then closes. */
struct server *server_free(struct server *s);
uint16_t server_port(const struct server *s);
