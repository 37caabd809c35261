/* fuzz_top.c - any two replies, a line each: what is drawn of them stays within the screen, and nothing of it moves
 * the cursor. */
#include "tools/top_private.h"
#include "tools/words.h"

#include <locale.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct slice text, const struct top_screen *s)
{
	struct slice line;
	size_t lines = 0;

	while (slice_cut(&text, '\n', &line)) {
		if (++lines > s->height || words_width(line) > s->width)
			abort();
		for (size_t i = 0; i < line.len; i++)
			if ((unsigned char)line.ptr[i] < 0x20)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct top_screen sizes[] = {{80, 24, false}, {200, 50, false}, {7, 3, false}};
	struct slice rest = slice_of(data, size), line = SLICE_EMPTY;
	json_t *before, *now, *told;
	struct top_rates r;
	struct buf text = BUF_INIT(TOP_TEXT_MAX);

	setlocale(LC_CTYPE, "C.UTF-8");
	slice_cut(&rest, '\n', &line);
	before = json_loadb(line.ptr ? line.ptr : "", line.len, 0, NULL);
	now = json_loadb(rest.ptr ? rest.ptr : "", rest.len, 0, NULL);
	top_rates_of(before, now, &r);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		buf_reset(&text);
		top_draw(&r, &sizes[i], &text);
		check(buf_slice(&text), &sizes[i]);
	}
	buf_reset(&text);
	top_print(&r, &text);
	told = top_json(&r);
	json_decref(told);
	json_decref(before);
	json_decref(now);
	buf_done(&text);
	return 0;
}
