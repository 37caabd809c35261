/* transferbench.c - lists for secondaries to follow: a snapshot as listd publishes it, and changes of all kinds
 * at a given rate. tests/bench/transfer drives it. */
#include "base/mem.h"
#include "common.h"
#include "publish.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct value ip_value = {0x7f000002, SLICE("$ is listed")};
static const struct value name_value = {0x7f000102, SLICE("$ is listed")};

/* One key in seven is a name, of these one in ten lies below another key; of the rest one in ten is of IPv6
 * and one in ten a range. */
static struct change key_of(uint64_t i)
{
	uint64_t r = random_of(i), kind = r >> 40;
	struct change c = {.set = SLICE("ip"), .value = ip_value};
	struct ip ip =
		ip4_of(0x2d000000u | ((uint32_t)r & 0x01ffffff)); /* some close to each other */

	if (i % 7 == 0) {
		char text[64];
		uint64_t parent = i / 10 * 10 % 7 == 0 ? i / 10 * 10 : i;
		const char *below = parent != i ? "a.b." : kind % 3 ? "" : "www.";

		snprintf(text, sizeof text, "%sd%" PRIu64 ".example", below, parent);
		domain_parse(slice_str(text), &c.name, NULL);
		c.set = SLICE("names");
		c.is_name = true;
		c.scope = SCOPE_BOTH;
		c.value = name_value;
		return c;
	}
	if (kind % 10 == 0) {
		const uint8_t net[4] = {0x2a, 0x01, 0x04, 0xf8};

		ip = (struct ip){.family = 6};
		memcpy(ip.bytes, net, sizeof net);
		memcpy(ip.bytes + 4, &r, 4);
		c.prefix = prefix_of(&ip, kind / 10 % 2 ? 64 : 56);
	} else {
		c.prefix = prefix_of(&ip, kind % 10 == 1 ? 24 - kind / 10 % 4 : 32);
	}
	return c;
}

static bool starts_listed(uint64_t i)
{
	return i % 2 == 0;
}

/* ---- transferbench snapshot FILE SERIAL KEYS: half of the keys ---- */

static int snapshot_main(char **arg)
{
	struct set_meta ip_meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct set_meta name_meta = meta_plain(SET_NAME, SET_FIRST, 300);
	struct builder *b = builder_new(strtoull(arg[1], NULL, 10), publish_seed);
	struct builder_set *ip = builder_set_new(b, SLICE("ip"), &ip_meta);
	struct builder_set *names = builder_set_new(b, SLICE("names"), &name_meta);
	uint64_t keys = strtoull(arg[2], NULL, 10);

	for (uint64_t i = 0; i < keys; i++) {
		struct change c = key_of(i);

		if (!starts_listed(i))
			continue;
		if (c.is_name)
			builder_add_name(names, &c.name, c.scope,
				builder_value(names, c.value.code, c.value.text), 0);
		else
			builder_add_prefix(
				ip, &c.prefix, builder_value(ip, c.value.code, c.value.text), 0);
	}
	publish_snapshot(b, arg[0]);
	return 0;
}

/* ---- transferbench changes LOG SERIAL KEYS RATE SECONDS: keys come and go ---- */

static int changes_main(char **arg)
{
	int log = open(arg[0], O_WRONLY | O_APPEND | O_CREAT, 0644);
	uint64_t serial = strtoull(arg[1], NULL, 10), keys = strtoull(arg[2], NULL, 10), n;
	double rate = strtod(arg[3], NULL), begin = seconds_now();
	uint64_t count = (uint64_t)(rate * strtod(arg[4], NULL));
	bool *listed = mem_new(keys, sizeof *listed);

	for (uint64_t i = 0; i < keys; i++)
		listed[i] = starts_listed(i);
	for (n = 0; n < count;) {
		uint64_t key = random_of(~n) % keys;
		struct change c = key_of(key);

		if (begin + (double)n / rate > seconds_now()) {
			usleep(200);
			continue;
		}
		listed[key] = !listed[key];
		c.op = listed[key] ? CHANGE_ADD : CHANGE_REMOVE;
		c.serial = serial + ++n;
		publish_change(log, &c);
	}
	printf("{\"begin\": %.6f, \"seconds\": %.3f, \"serial\": %" PRIu64 "}\n", begin,
		seconds_now() - begin, serial + n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "snapshot") == 0)
		return snapshot_main(argv + 2);
	if (argc == 7 && strcmp(argv[1], "changes") == 0)
		return changes_main(argv + 2);
	fputs("transferbench snapshot FILE SERIAL KEYS\n"
	      "transferbench changes LOG SERIAL KEYS RATE SECONDS\n",
		stderr);
	return 2;
}
