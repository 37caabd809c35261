/* access_world.h - zones with whole records and rules of who may ask, made from rbldnsd's text. Shared by the
 * test of what each asker hears and its fuzzer. */
#pragma once

#include "dataset/dataset.h"
#include "dns/query.h"
#include "dns/reply.h"
#include "dnsd/answer/answer.h"
#include "dnsd/answer/glue.h"

#include <stdlib.h>

#define ACCESS_NEED(x) ((x) ? (void)0 : abort())

#define NOW 1700000000

struct data {
	struct buf bytes;
	struct index index;
};

static inline void data_make(struct data *d, enum dataset_type type, const char *text)
{
	static const uint8_t seed[16] = "seed";
	struct dataset_options options = {.now_s = NOW};
	struct builder *b = builder_new(1, seed);
	struct dataset *set = dataset_new(b, type, SLICE("x"), &options);
	struct err err;

	*d = (struct data){.bytes = BUF_INIT(1 << 20)};
	ACCESS_NEED(dataset_file(set, SLICE("x"), slice_str(text), 1, &err));
	ACCESS_NEED(dataset_finish(set, &err) && builder_write(b, &d->bytes, &err));
	d->index.snapshot = snapshot_open(buf_slice(&d->bytes), &err);
	ACCESS_NEED(d->index.snapshot);
	dataset_free(set);
	builder_free(b);
}

static inline struct domain name_of(const char *text)
{
	struct domain d;

	ACCESS_NEED(domain_parse(slice_str(text), &d, NULL));
	return d;
}

enum { IP4, IP6, NAMES, RECORDS, ACL, KEYS, GLOBAL, OPEN_KEYS, MORE_KEYS, DATA_COUNT };

/* "z": all data and the acl; "k": and keys; "o": keys that let strangers in; "t": two sets of keys; "g": only the rule
 * for all; "n": NS and their addresses behind answers. */
struct world {
	struct data data[DATA_COUNT];
	struct served *served;
};

static inline void serve(struct world *w, const char *zone, const char *which)
{
	struct domain name = name_of(zone);

	for (; *which; which++)
		served_add_sets(served_zone(w->served, &name), &w->data[*which - '0'].index, 0,
			snapshot_set_count(w->data[*which - '0'].index.snapshot), 2100);
}

static inline void world_init(struct world *w)
{
	struct domain name;

	static const char ip4[] =
		"$SOA 60 ns.x h.x 1 1 1 1 30\n$NS 60 www.n ns.x\n:2:listed $\n10.0.0.0/24\n";

	data_make(&w->data[IP4], DATASET_IP4SET, ip4);
	data_make(&w->data[IP6], DATASET_IP6TRIE, "2001:db8::/32 :6:six $\n");
	data_make(&w->data[NAMES], DATASET_DNSET, ".bad.test :4:name $\n");
	data_make(&w->data[RECORDS], DATASET_GENERIC,
		"www 300 A 192.0.2.1\nwww IN a 192.0.2.2\nwww TXT \"a \"b\" $\"\n@ MX 10 Mail.X\n"
		"@ A 192.0.2.9\nwww A 192.0.2.1\nnot AAAA ::1\nbad.test TXT also\nempty TXT "
		"\"\"\n");
	data_make(&w->data[ACL], DATASET_ACL,
		"$TTL 5\n192.0.2.1 :refuse\n192.0.2.2\n192.0.2.3 :empty\n192.0.2.4 :9:you $ again\n"
		"198.51.100.0/24 =refuse\n198.51.100.7 :pass # him\n2001:db8:1::/48 :REFUSE\n"
		":empty\n192.0.2.5\n::1\n192.0.2.6 only text\n192.0.2.7 =nonsense\n");
	data_make(&w->data[KEYS], DATASET_ACLKEY,
		"secret :pass\nOLD :empty\nall=accept\ngone :ignore\nrude :8:pay $\n");
	data_make(&w->data[GLOBAL], DATASET_ACL,
		"203.0.113.1 :ignore\n203.0.113.2 :7:all $\n192.0.2.4 :7:first $\n");
	data_make(&w->data[OPEN_KEYS], DATASET_ACLKEY, ":pass\nbanned :refuse\n");
	data_make(&w->data[MORE_KEYS], DATASET_ACLKEY, "guest :pass\nold :pass\n");
	w->served = served_new();
	serve(w, "z", "01234");
	serve(w, "k", "01235");
	serve(w, "o", "07");
	serve(w, "t", "058");
	serve(w, "g", "0");
	served_add_rule(w->served, &w->data[GLOBAL].index, 2100);
	name = name_of("n");
	served_zone(w->served, &name)->adds_ns = true;
	serve(w, "n", "03");
	served_seal(w->served);
	glue_fill(w->served);
}

static inline void world_done(struct world *w)
{
	served_free(w->served);
	for (size_t i = 0; i < DATA_COUNT; i++) {
		snapshot_close((struct snapshot *)w->data[i].index.snapshot);
		buf_done(&w->data[i].bytes);
	}
}
