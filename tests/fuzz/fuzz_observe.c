/* fuzz_observe.c - any content in a mail to a trap: the evidence fits a message, is well-formed, and never
 * tells the trap's address. */
#include "io/ipc.h"
#include "trapd/observe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool claim)
{
	if (!claim)
		abort();
}

static void check_evidence(json_t *e)
{
	char *text = json_dumps(e, JSON_COMPACT | JSON_ENSURE_ASCII);

	check(text != NULL);
	check(strlen(text) < IPC_RECORD_MAX);
	check(slice_find_nocase(slice_str(text), SLICE("qzbait@")) == strlen(text));
	check(slice_find_nocase(slice_str(text), SLICE("qztrap.example")) == strlen(text));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16] = {1};
	static struct prefix relay = {{4, {10}}, 8};
	static char domain[] = "qztrap.example", host[] = "mx.host.example", sensor[] = "one";
	static char *domains[] = {domain};
	struct config_trapd config = {.host_name = host,
		.sensor = sensor,
		.domains = {domains, 1},
		.relays = {&relay, 1}};
	struct slice address = SLICE("qzbait@qztrap.example"), content = slice_of(data, size);
	struct smtp_path to = {address, slice_take(address, 6), slice_skip(address, 7)};
	struct slice from = slice_take(content, slice_find(content, '\n'));
	struct smtp_mail mail = {.helo = from,
		.mail_from = from,
		.recipients = &to,
		.recipient_count = 1,
		.content = content,
		.mail_from_domain = slice_skip(from, slice_find(from, '@') + 1)};
	struct ip peer = ip4_of(0x0a000001);
	struct observation ob;
	struct observer o;

	check(observer_init(&o, &config, key, psl_builtin(), NULL));
	observe_mail(&o, &mail, &peer, 1, "u", 1, &ob);
	check(ob.count == 1);
	check_evidence(ob.evidence[0]);
	observation_done(&ob);
	observer_done(&o);
	return 0;
}
