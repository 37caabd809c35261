/* table.h - rows of cells, in columns as wide as they need to be. */
#pragma once

#include "base/buf.h"

struct column {
	const char *title;
	bool right;    /* numbers */
	bool flexible; /* is cut first where a line would be too long; at most one */
};

#define COLUMN_TEXT(title) {title, false, false}
#define COLUMN_NUMBER(title) {title, true, false}
#define COLUMN_FLEXIBLE(title) {title, false, true}

struct table {
	const struct column *columns;
	size_t column_count, cell_count, cell_room;
	struct slice
		*cells; /* row by row; in text, which moves: ptr is an offset until it is printed */
	struct buf text;
};

struct table table_of(const struct column *columns, size_t count);
void table_done(struct table *t);
/* The next cell, from left to right. */
void table_cell(struct table *t, struct slice text);
void table_cellf(struct table *t, const char *fmt, ...) ATTR_FORMAT(2, 3);
/* Appends title and at most `rows` rows, each line within `width` columns and indented by two. */
void table_print(const struct table *t, size_t rows, size_t width, struct buf *to);
size_t table_rows(const struct table *t);
