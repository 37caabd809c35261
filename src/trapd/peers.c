/* peers.c - a hash table of clients; its size is bounded by the number of sessions. */
#include "trapd/peers.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "io/random.h"

#include <stdlib.h>

#define BUCKETS 1024

struct peer {
	struct peer *next;
	struct ip ip;
	unsigned sessions;
};

struct peers {
	unsigned max;
	uint8_t key[16]; /* strangers choose their addresses, not their bucket */
	struct peer *buckets[BUCKETS];
};

struct peers *peers_new(unsigned max_per_client)
{
	struct peers *p = mem_new(1, sizeof *p);

	p->max = max_per_client;
	random_bytes(p->key, sizeof p->key);
	return p;
}

struct peers *peers_free(struct peers *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		while (p->buckets[i]) {
			struct peer *next = p->buckets[i]->next;

			free(p->buckets[i]);
			p->buckets[i] = next;
		}
	free(p);
	return NULL;
}

static struct peer **find(struct peers *p, const struct ip *ip, struct ip *ret_client)
{
	struct ip client = ip->family == 6 ? prefix_of(ip, 64).ip : *ip;
	struct peer **at =
		&p->buckets[siphash(p->key, slice_of(client.bytes, sizeof client.bytes)) % BUCKETS];

	while (*at && !ip_eq(&(*at)->ip, &client))
		at = &(*at)->next;
	*ret_client = client;
	return at;
}

bool peers_enter(struct peers *p, const struct ip *ip)
{
	struct ip client;
	struct peer **at = find(p, ip, &client);

	if (!*at) {
		*at = mem_new(1, sizeof **at);
		(*at)->ip = client;
	}
	if ((*at)->sessions >= p->max)
		return false;
	(*at)->sessions++;
	return true;
}

void peers_leave(struct peers *p, const struct ip *ip)
{
	struct ip client;
	struct peer **at = find(p, ip, &client), *gone = *at;

	if (!gone || --gone->sessions)
		return;
	*at = gone->next;
	free(gone);
}
