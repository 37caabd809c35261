/* glue.h - addresses of name servers behind answers, as rbldnsd adds them without -a. */
#pragma once

#include "dnsd/answer/answer.h"

/* For zones with adds_ns: asks `s` itself, once it is sealed, for the addresses of their name servers. */
void glue_fill(struct served *s);
