/* fields.h - takes a message's fields with their types and limits. The first fault sticks: take field
 * after field, then look at `bad` once. Slices live as long as the message. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

#include <jansson.h>

struct fields {
	const json_t *message;
	struct err *err;
	bool bad;
};

struct fields fields_of(const json_t *message, struct err *err);
/* Text without control characters; absent gives "" unless required. Longer than max is a fault. */
struct slice field_text(struct fields *f, const char *name, size_t max, bool required);
/* The same, but what is longer is cut, at a whole character: for words that only describe. */
struct slice field_words(struct fields *f, const char *name, size_t max);
/* A whole number; absent gives `absent`. */
int64_t field_number(struct fields *f, const char *name, int64_t min, int64_t max, int64_t absent);
/* NULL when absent. More than max items is a fault. */
const json_t *field_array(struct fields *f, const char *name, size_t max, bool required);
/* NULL when absent or empty. */
const char *field_optional(struct fields *f, const char *name, size_t max);
