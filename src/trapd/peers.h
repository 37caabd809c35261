/* peers.h - how many sessions each client has open. IPv6 clients count by their /64. */
#pragma once

#include "base/ip.h"

struct peers;

struct peers *peers_new(unsigned max_per_client);
struct peers *peers_free(struct peers *p);
/* False when this client has its number already; then nothing is counted. */
bool peers_enter(struct peers *p, const struct ip *ip);
void peers_leave(struct peers *p, const struct ip *ip);
