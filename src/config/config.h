/* config.h - the one configuration file of the suite, as one struct. Which options there are, their
 * defaults, ranges and help stand in the tables of options.c; libconfuse reads the syntax. */
#pragma once

#include "base/buf.h"
#include "base/domain.h"
#include "base/err.h"
#include "base/ip.h"

#include <stdio.h>

struct strings {
	char **items;
	size_t count;
};

struct prefixes {
	struct prefix *items;
	size_t count;
};

enum list_kind { LIST_IP, LIST_DOMAIN }; /* LIST_IP holds IPv4 and IPv6 */
enum quota_answer { QUOTA_REFUSE, QUOTA_CODE };
enum list_leave { LEAVE_AUTO, LEAVE_REQUEST, LEAVE_NONE };

/* list "name" { ... }: a list that this site runs. Durations are in seconds. */
struct config_list {
	char *name;
	char *zone; /* its DNS zone, text */
	struct domain zone_name;
	enum list_kind kind;
	char *title;   /* one line for people */
	uint32_t code; /* 127.0.0.x, host order */
	char *text;    /* TXT template; $ becomes what was asked */
	char *url;     /* where the portal explains a listing; $ likewise */
	/* what gets listed */
	bool automatic; /* listed by evidence; no: by hand and import only */
	long threshold; /* weight of evidence within the window that lists */
	long window;
	long distinct_traps; /* at least so many different traps within the window */
	long ip6_prefix;     /* IPv6 evidence lists this prefix (64) */
	/* how long */
	long lifetime;	   /* of the first listing */
	long lifetime_max; /* doubling at each relisting stops here */
	/* how to leave */
	enum list_leave leave;
	bool leave_fcrdns; /* forward and reverse DNS must match */
	long leave_quiet;  /* no evidence for so long before a removal */
	long leave_max;	   /* at most so many removals granted per subject ... */
	long leave_period; /* ... within this time; after that only expiry */
	/* DNS */
	long ttl;
	long negative_ttl;
	/* who may ask, besides dnsd's own rules */
	struct prefixes allow, deny;
	struct strings access; /* "acl:file", "aclkey:file" */
	long quota_second, quota_day;
};

/* weights of evidence by kind */
struct config_weights {
	long trap_hit, abuse_report, auth_failure, manual;
};

struct config_zone { /* dnsd: zone "bl.example" { data = {...} }: rbldnsd files served as they are */
	char *name;
	struct domain zone_name;
	struct strings data; /* "type:file,file", rbldnsd's own notation, in order */
	struct prefixes allow, deny;
	long quota_second, quota_day;
};

struct config_key { /* dnsd: key "name" { ... }: of TSIG, shared with those who transfer zones */
	char *name;
	struct domain key_name;
	char *algorithm;
	char *secret;	   /* base64 */
	char *secret_file; /* holds it instead */
};

struct config_secondary { /* dnsd: secondary "name" { ... }: may transfer zones, and is notified */
	char *name;
	struct strings address; /* addr:port, NOTIFY goes there */
	struct prefixes from;	/* besides them, who may transfer */
	char *key;		/* they must sign with it; empty: the address is enough */
	struct strings zones;	/* empty: all */
	bool notify;
};

struct config_primary { /* dnsd: primary "bl.example" { ... }: a zone that is transferred from others */
	char *name;
	struct domain zone_name;
	struct strings address;	     /* addr:port, in the order they are asked */
	char *key;		     /* all is signed with it; empty: nothing */
	struct prefixes notify_from; /* besides them, who may notify */
	long max_size;		     /* bytes of a copy, and of a transfer */
};

struct config_rpz { /* dnsd: rpz "rpz.example" { ... }: lists as a zone of rules for resolvers */
	char *name;
	struct domain zone_name;
	struct strings lists;
	char *action;
	struct domain target; /* of the CNAME that means it */
};

struct config_signed { /* dnsd: dnssec "bl.example" { key = "file" } */
	char *name;
	struct domain zone_name;
	char *key;		/* path of the private key */
	struct strings publish; /* of further keys, which sign nothing */
};

/* What rbldnsd's command line says that no option of ours does; all zero without --rbldnsd. */
struct config_rbldnsd {
	bool on;
	uint32_t ttl_s, ttl_min_s, ttl_max_s; /* -t; 0: rbldnsd's default, no bounds */
	bool host_bits;			      /* -e */
	bool no_gunzip;			      /* -C */
	bool all_or_nothing;	     /* without -q: a file that cannot be read ends the start */
	bool adds_ns;		     /* without -a: NS and their addresses behind answers */
	char *log_file, *stats_file; /* -l, -s; NULL: none; "-" of the log is standard output */
	bool log_at_once, stats_are_deltas; /* their "+" */
};

struct config_dnsd {
	char *user;
	struct strings listen;		 /* addr:port, UDP and TCP */
	struct strings xdp;		 /* network interfaces */
	char *metrics;			 /* addr:port; empty: none */
	char *dnstap;			 /* Unix socket; empty: no query log */
	long dnstap_sample;		 /* one in so many questions */
	long workers;			 /* 0: one for each processor */
	long tcp_sessions, tcp_idle;	 /* at once; seconds */
	char *nsid, *version, *identity; /* empty: not told */
	bool cookies;
	struct strings cookie_secrets; /* 32 hexadecimal digits each; empty: a random one */
	long rate_limit, rate_slip;    /* answers of a kind in a second to one network; 0: any */
	long quota_second, quota_day;  /* questions of one client; 0: any number */
	enum quota_answer quota_answer;
	struct prefixes unlimited;  /* no rate, no quota */
	struct strings nameservers; /* NS of our zones */
	char *hostmaster;	    /* SOA RNAME */
	struct config_zone *zones;
	size_t zone_count;
	struct config_signed *signed_zones;
	size_t signed_count;
	long dnssec_signatures; /* made in a second by one thread, over UDP */
	long check_interval;	/* seconds between looks for changed rbldnsd files */
	struct config_key *keys;
	size_t key_count;
	struct config_secondary *secondaries;
	size_t secondary_count;
	struct config_primary *primaries;
	size_t primary_count;
	struct config_rpz *rpz;
	size_t rpz_count;
	char *catalog; /* a zone that names all others; empty: none */
	struct domain catalog_name;
	long transfers;	   /* at once */
	long ixfr_memory;  /* bytes of changes kept for each zone */
	long notify_delay; /* seconds that changes are collected for */
	/* Who may ask: the most specific prefix decides; with any in allow, all others are refused. */
	struct prefixes allow, deny;
	struct strings access; /* "acl:file" */
	struct config_rbldnsd rbldnsd;
};

/* What an address became a trap by. What it weighs by default follows from that: whoever sends to an
 * address that never was, or that was only ever put out as bait, collected it; to one that somebody had
 * once, or that is a slip of the pen away from a real one, honest senders write too. */
enum trap_type { TRAP_PRISTINE, TRAP_RECYCLED, TRAP_TYPO, TRAP_SEEDED, TRAP_ROLE };
extern const char *const config_trap_types[]; /* their words, ended by NULL */

struct config_trap { /* trapd: trap "name" { ... } */
	char *name;
	int type;
	struct strings addresses; /* "a@b.example", or with '*' for any run of letters */
	struct strings domains;	  /* any address there */
	long weight;		  /* percent of what a hit weighs */
	char *group;		  /* traps that one leak would betray together */
};

struct config_trapd {
	char *user;
	struct strings listen;
	char *host_name;	 /* in the banner and in Received */
	struct strings domains;	 /* mail to any address here is trap mail; empty: every recipient */
	struct prefixes relays;	 /* own MXes: the sender is in the Received header they wrote */
	struct prefixes proxies; /* peers that speak PROXY v2 first */
	char *tls_certificate, *tls_key; /* empty: self-signed */
	long max_sessions, max_sessions_per_ip, max_size, max_recipients, timeout;
	long max_memory;     /* bytes of mail at once, of all sessions */
	long greet_delay_ms; /* before the banner */
	char *sensor;	     /* this trap's name in the evidence */
	char *secret_file;   /* key for naming traps; made at the first start */
	struct config_trap *traps;
	size_t trap_count;
};

enum gate_kind { GATE_BLOCK, GATE_ALLOW };
struct config_gate_list { /* gated: list "zen.spamhaus.org" { ... } */
	char *zone;
	struct domain zone_name;
	enum gate_kind kind;
	long weight; /* of a hit; may be negative for block lists that mean well */
	struct strings
		codes; /* "127.0.0.2", "127.0.0.[2..11]", each with "*weight"; empty: any 127/8 */
	struct strings error_codes; /* never a hit: "127.255.255.[0..255]" */
	char *server;		    /* addr:port that answers for this list; empty: the resolver */
	char *reply; /* reject text; $ client, %t TXT reason, %z zone; empty: the default */
	bool ip6;    /* asks IPv6 too */
	bool enabled;
};

struct config_gated {
	char *user;
	struct strings milter;		  /* addresses of the milter door */
	struct strings policy;		  /* addresses of the Postfix policy door */
	struct strings resolver;	  /* addr:port */
	struct prefixes own_networks;	  /* never judged */
	long reject_at, defer_at, tag_at; /* score thresholds; 0: never */
	long timeout_ms;		  /* for the answers of all lists */
	long cache_entries, max_ttl;
	char *header; /* name of the header that tags */
	struct config_gate_list *lists;
	size_t list_count;
};

struct config_webd {
	char *user;
	char *listen;	/* addr:port */
	char *base_url; /* as the world sees it */
	char *operator_name, *contact;
	struct strings resolver;	 /* for FCrDNS */
	struct prefixes trusted_proxies; /* whose X-Forwarded-For counts */
	long max_connections, max_per_ip;
	long request_timeout;
	long lookup_rate, removal_rate; /* of one address: each minute; each hour */
};

struct config_listd {
	char *user;
	char *store;		/* file of the SQLite store; empty: state-dir/sekisho.db */
	long snapshot_interval; /* seconds between snapshots when there were changes */
	long keep_evidence;	/* days */
	struct prefixes
		never; /* never listed: own networks and partners; special ranges always are */
	struct strings never_domains;
	struct config_weights weights;
};

struct config_check {
	struct strings resolver;
	struct strings lists; /* zones that `sekisho check` asks; empty: gated's */
	long timeout_ms;
};

struct config {
	char *path;
	char *state_dir; /* /var/lib/sekisho */
	char *run_dir;	 /* /run/sekisho: listd.sock, publish/ */
	struct config_list *lists;
	size_t list_count;
	struct config_dnsd dnsd;
	struct config_trapd trapd;
	struct config_gated gated;
	struct config_webd webd;
	struct config_listd listd;
	struct config_check check;
	char *socket_path;	/* run_dir/listd.sock */
	char *dnsd_socket_path; /* run_dir/dnsd/dnsd.sock */
	char *zones_dir;	/* state_dir/zones: copies of transferred ones */
	char *publish_dir;	/* state_dir/publish: snapshot and change log */
};

/* Reads and checks the whole file. Every fault is told (not only the first), one line each in
 * *ret_faults: "file:line: option: what is wrong and what to do"; NULL result then. */
struct config *config_load(const char *path, struct buf *ret_faults);
/* The same of text that is no file; "" gives every option its default. */
struct config *config_text(struct slice text, const char *name, struct buf *ret_faults);
struct config *config_free(struct config *c);
/* All options with their values in force, as a configuration file. */
void config_print(const struct config *c, FILE *to);
/* Every option: section, name, type, default, range, help; for `config help` and the manual's test. */
void config_help(FILE *to);
const struct config_list *config_find_list(const struct config *c, struct slice name);
