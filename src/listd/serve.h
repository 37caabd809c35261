/* serve.h - listd as a process: socket, groups of requests, the sweep, the snapshots. */
#pragma once

#include "base/err.h"
#include "config/config.h"

struct listd;

/* Folders and the socket: all that needs rights. config is borrowed. */
struct listd *listd_prepare(const struct config *config, struct err *err);
/* Gives rights up: files of the store's and the publish folder stay. */
bool listd_enter_sandbox(struct listd *d, struct err *err);
/* Opens the store, mends what is published, says READY, serves until SIGTERM. */
bool listd_serve(struct listd *d, struct err *err);
struct listd *listd_free(struct listd *d);
