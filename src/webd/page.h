/* page.h - from a view to the bytes of an answer: HTML by template or JSON, in the reader's language. */
#pragma once

#include "webd/request.h"
#include "webd/view.h"

#define ANSWER_BODY_MAX ((size_t)1024 * 1024)
#define LANGUAGES 2

struct site {
	const struct config *config;
	char *name;	/* what the portal calls itself */
	char style[20]; /* changes when the style sheet does */
	uint8_t token_key[32];
	struct language languages[LANGUAGES];
};

/* Templates and catalogues from the assets, checked: a faulty one is told with its file and line. */
bool site_open(struct site *site, const struct config *config, struct err *err);
void site_close(struct site *site);
/* A static file; ptr NULL when there is none. */
struct slice site_file(const char *name);

struct answer {
	unsigned status;
	const char *type;
	struct buf body;
	long retry_after_s; /* 0: not said */
	const char *allow;  /* for 405 */
	long max_age_s;	    /* 0: must not be stored */
};

struct page {
	const struct site *site;
	const struct request *request;
	struct view view;
	bool explicit_language; /* ?lang= was given: links keep it */
	const char *asked;	/* for the form; NULL: the client's own address */
	const char *address;	/* what was looked up, for the removal form */
	const char *back;	/* what to look up again, or NULL */
	const char *at;		/* "home", "lists" or NULL: where in the navigation */
	bool unlisted;		/* search engines shall not keep it */
	bool show_form;		/* under an error */
};

void page_init(struct page *p, const struct site *site, const struct request *request,
	struct slice lang, int64_t now_ms);
/* Takes view and title over. */
void page_answer(struct page *p, unsigned status, const char *template, json_t *title, json_t *view,
	struct answer *ret);
/* {"error": message, "status": n}; takes both over. */
void page_error(
	struct page *p, unsigned status, json_t *title, json_t *message, struct answer *ret);
