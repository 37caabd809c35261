/* fuzz_listd.c - any records from any role: each gets one reply with its id and ok, and the ledger stays
 * whole. A line is one record; its first character says the role. */
#include "listd/requests.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config_list lists[2] = {
	{.name = (char *)"ip",
		.zone = (char *)"bl.test",
		.kind = LIST_IP,
		.code = 0x7f000002,
		.text = (char *)"$ is listed",
		.automatic = true,
		.threshold = 2,
		.window = 86400,
		.distinct_traps = 1,
		.ip6_prefix = 64,
		.lifetime = 86400,
		.lifetime_max = 864000,
		.leave = LEAVE_REQUEST,
		.leave_max = 3,
		.leave_period = 86400},
	{.name = (char *)"domain",
		.zone = (char *)"d.test",
		.kind = LIST_DOMAIN,
		.code = 0x7f000003,
		.text = (char *)"$ is listed",
		.automatic = true,
		.threshold = 1,
		.window = 86400,
		.distinct_traps = 1,
		.ip6_prefix = 64,
		.lifetime = 86400,
		.lifetime_max = 864000,
		.leave = LEAVE_AUTO},
};

static struct config config = {.lists = lists, .list_count = 2};

static void check(bool truth)
{
	if (!truth)
		abort();
}

static struct asker asker_of(char role)
{
	switch (role) {
	case 't':
		return (struct asker){.uid = 1, .role = ROLE_TRAPD};
	case 'w':
		return (struct asker){.uid = 2, .role = ROLE_WEBD};
	case 'g':
		return (struct asker){.uid = 3, .role = ROLE_GATED};
	case 'n':
		return (struct asker){.uid = 4, .role = ROLE_NONE};
	default:
		return (struct asker){.uid = 0, .role = ROLE_ADMIN};
	}
}

/* What was promised about every list holds: its count is its number of active listings, and none of
 * them is a thing that must never be listed. */
static bool count_one(void *ctx, const struct listing *g)
{
	struct subject s;

	check(subject_parse(slice_str(g->subject), &s, NULL));
	check(slice_eq(slice_str(s.text), slice_str(g->subject)));
	check(s.kind != SUBJECT_PREFIX || !prefix_is_special(&s.prefix));
	(*(int64_t *)ctx)++;
	return true;
}

static void check_ledger(struct ledger *l)
{
	for (size_t i = 0; i < ledger_list_count(l); i++) {
		int64_t counted = 0, kept = -1, id = ledger_list_at(l, i)->id;

		check(store_listing_each(ledger_store(l), id, "", -1, count_one, &counted, NULL));
		check(store_active_count(ledger_store(l), id, &kept, NULL));
		check(counted == kept);
	}
}

static void one_record(struct desk *d, struct slice line, int64_t now_ms)
{
	struct asker asker = asker_of(line.len ? line.ptr[0] : 'a');
	json_t *message, *reply;

	line = slice_skip(line, 1);
	message = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!message)
		return;
	reply = requests_answer(d, &asker, message, now_ms);
	check(json_is_object(reply) && json_is_boolean(json_object_get(reply, "ok")));
	check(json_is_true(json_object_get(reply, "ok"))
		|| json_string_value(json_object_get(reply, "reason")));
	if (json_is_integer(json_object_get(message, "id")))
		check(json_equal(json_object_get(message, "id"), json_object_get(reply, "id")));
	check(json_dumpb(reply, NULL, 0, JSON_COMPACT) < (size_t)128 * 1024);
	json_decref(reply);
	json_decref(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ledger
		*ledger; /* made once: each input runs in one group, thrown away at its end */
	struct slice rest = slice_of(data, size), line;
	struct desk d = {.config = &config, .roles = {1000, 1, 2, 3, 4}};
	int64_t now_ms = 1800000000000;
	struct err err;

	if (!ledger) {
		struct store *store = store_open(":memory:", &err);

		config.listd.weights = (struct config_weights){1, 1, 1, 1};
		check(store != NULL);
		ledger = ledger_open(&config, store, now_ms, &err);
		check(ledger != NULL);
	}
	d.ledger = ledger;
	check(store_begin(ledger_store(ledger), &err));
	for (int i = 0; i < 64 && slice_cut_line(&rest, &line); i++) {
		one_record(&d, line, now_ms);
		now_ms += 600000;
	}
	check_ledger(ledger);
	check(store_in_group(ledger_store(ledger)));
	store_rollback(ledger_store(ledger));
	return 0;
}
