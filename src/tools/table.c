/* table.c - rows of cells, in columns as wide as they need to be. */
#include "tools/table.h"

#include "base/mem.h"
#include "tools/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_MAX 16
#define TEXT_MAX ((size_t)64 << 20)
#define INDENT 2
#define GAP 2
#define FLEXIBLE_MIN 8

struct table table_of(const struct column *columns, size_t count)
{
	return (struct table){
		.columns = columns, .column_count = count, .text = BUF_INIT(TEXT_MAX)};
}

void table_done(struct table *t)
{
	free(t->cells);
	buf_done(&t->text);
}

void table_cell(struct table *t, struct slice text)
{
	if (t->cell_count == t->cell_room) {
		t->cell_room = 2 * t->cell_room + 64;
		t->cells = mem_resize(t->cells, t->cell_room * sizeof *t->cells);
	}
	t->cells[t->cell_count++] = slice_of((const char *)t->text.len, text.len);
	buf_add_slice(&t->text, text);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	table_cell(t, slice_str(text));
}

size_t table_rows(const struct table *t)
{
	return t->cell_count / t->column_count;
}

static struct slice cell(const struct table *t, size_t row, size_t column)
{
	struct slice c = t->cells[row * t->column_count + column];

	return slice_take(slice_skip(buf_slice(&t->text), (size_t)c.ptr), c.len);
}

static void measure(const struct table *t, size_t rows, size_t width, size_t widths[COLUMNS_MAX])
{
	size_t sum = INDENT, flexible = SIZE_MAX;

	for (size_t c = 0; c < t->column_count; c++) {
		widths[c] = words_width(slice_str(t->columns[c].title));
		for (size_t r = 0; r < rows; r++)
			widths[c] = MAX(widths[c], words_width(cell(t, r, c)));
		sum += widths[c] + (c ? GAP : 0);
		if (t->columns[c].flexible)
			flexible = c;
	}
	if (flexible == SIZE_MAX || sum <= width)
		return;
	if (widths[flexible] > sum - width + FLEXIBLE_MIN)
		widths[flexible] -= sum - width;
	else
		widths[flexible] = MIN(widths[flexible], FLEXIBLE_MIN);
}

/* row SIZE_MAX: the titles. */
static void print_row(
	const struct table *t, size_t row, size_t width, const size_t *widths, struct buf *to)
{
	size_t at = INDENT, end;

	buf_add_str(to, "  ");
	for (size_t c = 0; c < t->column_count && at < width; c++) {
		struct slice text =
			row == SIZE_MAX ? slice_str(t->columns[c].title) : cell(t, row, c);
		size_t w = MIN(widths[c], width - at);
		words_fit(to, text, w, t->columns[c].right);
		at += w;
		for (size_t i = 0; i < GAP && at < width && c + 1 < t->column_count; i++, at++)
			buf_add_char(to, ' ');
	}
	for (end = to->len; end > 0 && to->ptr[end - 1] == ' '; end--)
		;
	to->len = end;
	buf_add_char(to, '\n');
}

void table_print(const struct table *t, size_t rows, size_t width, struct buf *to)
{
	size_t widths[COLUMNS_MAX];

	rows = MIN(rows, table_rows(t));
	measure(t, rows, width, widths);
	print_row(t, SIZE_MAX, width, widths, to);
	for (size_t r = 0; r < rows; r++)
		print_row(t, r, width, widths, to);
}
