/* list_private.h - shared by the files of `sekisho list`. */
#pragma once

#include "base/slice.h"
#include "config/config.h"
#include "tools/asking.h"

#include <jansson.h>

struct list_command {
	/* from the command line; NULL or 0 when not given */
	const char *config_path, *list, *reason, *code, *text, *feed, *format;
	int64_t expires_ms;
	int64_t limit;
	bool json;
	char **subjects;
	int subject_count;
	/* once connected */
	struct config *config;
	int fd;
};

/* Asks listd; NULL after telling on stderr what went wrong. Takes message over. */
json_t *list_ask(struct list_command *c, json_t *message);
/* The list named by --list, or the only one there is. NULL after telling on stderr. kind_of: a subject
 * whose kind narrows the choice; NULL for any. */
const struct config_list *list_chosen(const struct list_command *c, const char *kind_of);
/* Text from outside, safe on a terminal: controls become "?". */
void list_print_words(FILE *to, struct slice text);
/* Why: the object `cause` or `reason` of listd's reply. */
void list_print_reason(FILE *to, const json_t *reason);

int list_show(struct list_command *c);
int list_why(struct list_command *c);
int list_journal(struct list_command *c);
int list_status(struct list_command *c);
int list_import(struct list_command *c);
int list_export(struct list_command *c);
