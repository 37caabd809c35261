/* template_node.h - a parsed template, between template_parse.c and template.c. */
#pragma once

#include "base/arena.h"
#include "webd/template.h"

enum node_kind { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_WORDS, NODE_PARTIAL };

struct template;

struct node {
	enum node_kind kind;
	unsigned line;
	struct slice text;  /* the literal, or the name */
	struct node *child; /* what stands inside */
	const struct template *partial;
	struct node *next;
};

struct template
{
	char name[TEMPLATE_NAME_MAX];
	struct node *first;
	unsigned depth; /* sections within sections, partials included; 0: not known yet */
	bool open;	/* being measured: meeting it again is a circle */
	struct template *next;
};

struct template_set {
	const struct mo *mo;
	struct arena *arena;
	struct template *first;
};

struct template *template_find(const struct template_set *set, struct slice name);
