/* exchange.h - one request and its answer, between serve.c (HTTP) and pages.c (what is said). */
#pragma once

#include "io/ipc.h"
#include "resolve/fcrdns.h"
#include "webd/limiter.h"
#include "webd/page.h"

struct webd {
	struct loop *loop;
	const struct config *config;
	struct site site;
	char *base_url;
	struct ipc_client *listd;
	struct resolver *resolver;
	struct upstream *upstream;
	struct limiter *lookups, *removals;
	struct server *server;
};

struct exchange {
	struct webd *webd;
	struct request request;
	struct answer answer;
	bool answered;
	/* What is waited for. The holder of the HTTP side and each open call to listd hold a reference:
	 * a call cannot be taken back. */
	int references;
	struct fcrdns *fcrdns;
	struct loop_timer *deadline;
	/* ---- pages ---- */
	struct page page;
	struct subject subject;
	char *asked;   /* what was typed, for the form */
	json_t *reply; /* of listd */
	struct removal removal;
	bool fcrdns_known;
	struct fcrdns_result fcrdns_result;
	char *note;
	/* ---- serve.c: called once when `answer` is complete ---- */
	void (*done)(struct exchange *x);
	void *http;
};

struct exchange *exchange_new(struct webd *w);
void exchange_release(struct exchange *x);
/* Ends waiting: the DNS, the deadline. */
void exchange_stop_waiting(struct exchange *x);
/* To be called when answer is filled. */
void exchange_finish(struct exchange *x);

/* Answers at once or later. x->request is complete but for what request_parse_target() sets. */
void pages_serve(struct exchange *x, struct slice target);
/* What went wrong before there was a request to serve: too large, no such method ... */
void pages_refuse(struct exchange *x, unsigned status);
