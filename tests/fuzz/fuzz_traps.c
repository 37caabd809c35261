/* fuzz_traps.c - first line: an address or pattern of the configuration; second: a recipient. An address
 * without '*' is its own trap; a look-up ends soon, whatever both are. */
#include "trapd/traps.h"

#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16] = {1};
	struct slice rest = slice_of(data, size), line = SLICE_EMPTY;
	struct smtp_path to = {0};
	char *item;
	struct config_trap section = {.name = "x", .addresses = {&item, 1}, .group = "x"};
	struct config_trapd config = {.traps = &section, .trap_count = 1};
	struct traps *t;
	const char *at;

	slice_cut_line(&rest, &line);
	item = mem_str_len(line.ptr, line.len);
	at = strrchr(item, '@');
	if (at && strlen(item) == line.len && (t = traps_new(&config, key, NULL))) {
		(void)(smtp_path_cut(&rest, &to) && traps_find(t, &to));
		to = (struct smtp_path){line, slice_take(line, (size_t)(at - item)),
			slice_skip(line, (size_t)(at - item) + 1)};
		if (to.domain.len && !traps_find(t, &to))
			abort();
		traps_free(t);
	}
	free(item);
	return 0;
}
