/* trapd.h - the spamtrap: takes mail, says what it saw to listd, answers 250 only when that is kept. */
#pragma once

#include "config/config.h"

struct trapd;

/* Everything that needs rights: listeners, certificate, key, data files. NULL with words in err. config is
 * borrowed. */
struct trapd *trapd_open(const struct config *config, struct err *err);
/* Gives up user, files and system calls. */
bool trapd_enter_sandbox(struct trapd *t, struct err *err);
/* Until SIGTERM or SIGINT. */
void trapd_serve(struct trapd *t);
struct trapd *trapd_free(struct trapd *t);
