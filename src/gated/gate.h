/* gate.h - the daemon: two doors for mail servers, one judge behind them. */
#pragma once

#include "config/config.h"
#include "io/loop.h"

struct gate;

/* Opens the doors. config must stay. NULL with words in err. */
struct gate *gate_open(const struct config *config, struct err *err);
/* Gives up rights; then nothing but new sockets can be opened. */
bool gate_enter_sandbox(struct gate *g, struct err *err);
void gate_serve(struct gate *g);	/* until SIGTERM or SIGINT */
struct gate *gate_free(struct gate *g); /* NULL is fine; returns NULL */
