/* siphash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables that strangers
 * fill and for naming secrets (spamtraps) without telling them. */
#pragma once

#include "base/slice.h"

uint64_t siphash(const uint8_t key[16], struct slice s);
