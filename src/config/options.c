/* options.c - every option of the configuration file: name, type, default, range, help. */
#include "config/options.h"

#include <limits.h>

#define MINUTE 60L
#define HOUR 3600L
#define DAY 86400L

#define AT(type, member) offsetof(struct type, member)
#define TEXT(t, m, n, d, h)                                                                        \
	{                                                                                          \
		n, OPTION_TEXT, AT(t, m), d, 0, 0, NULL, h                                         \
	}
#define TEXTS(t, m, n, d, h)                                                                       \
	{                                                                                          \
		n, OPTION_TEXTS, AT(t, m), d, 0, 0, NULL, h                                        \
	}
#define COUNT(t, m, n, d, lo, hi, h)                                                               \
	{                                                                                          \
		n, OPTION_COUNT, AT(t, m), d, lo, hi, NULL, h                                      \
	}
#define DURATION(t, m, n, d, lo, hi, h)                                                            \
	{                                                                                          \
		n, OPTION_DURATION, AT(t, m), d, lo, hi, NULL, h                                   \
	}
#define YESNO(t, m, n, d, h)                                                                       \
	{                                                                                          \
		n, OPTION_YESNO, AT(t, m), d, 0, 0, NULL, h                                        \
	}
#define WORD(t, m, n, d, w, h)                                                                     \
	{                                                                                          \
		n, OPTION_WORD, AT(t, m), d, 0, 0, w, h                                            \
	}
#define PREFIXES(t, m, n, d, h)                                                                    \
	{                                                                                          \
		n, OPTION_PREFIXES, AT(t, m), d, 0, 0, NULL, h                                     \
	}
#define ADDRESS(t, m, n, d, h)                                                                     \
	{                                                                                          \
		n, OPTION_ADDRESS, AT(t, m), d, 0, 0, NULL, h                                      \
	}
#define ADDRESSES(t, m, n, d, h)                                                                   \
	{                                                                                          \
		n, OPTION_ADDRESSES, AT(t, m), d, 0, 0, NULL, h                                    \
	}
#define DOMAIN(t, m, n, d, h)                                                                      \
	{                                                                                          \
		n, OPTION_DOMAIN, AT(t, m), d, 0, 0, NULL, h                                       \
	}
#define DOMAINS(t, m, n, d, h)                                                                     \
	{                                                                                          \
		n, OPTION_DOMAINS, AT(t, m), d, 0, 0, NULL, h                                      \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, OPTION_TEXT, 0, NULL, 0, 0, NULL, NULL                                       \
	}

static const char *const list_kinds[] = {"ip", "domain", NULL};
static const char *const list_leaves[] = {"auto", "request", "none", NULL};
static const char *const quota_answers[] = {"refuse", "code", NULL};
const char *const config_trap_types[] = {"pristine", "recycled", "typo", "seeded", "role", NULL};
static const char *const gate_kinds[] = {"block", "allow", NULL};

static const struct option top[] = {TEXT(config, state_dir, "state-dir", "/var/lib/sekisho",
					    "folder of the store and of what is published"),
	TEXT(config, run_dir, "run-dir", "/run/sekisho",
		"folder of the sockets between the programs"),
	END};

static const struct option list[] = {
	DOMAIN(config_list, zone, "zone", "", "DNS zone of the list; several lists may share one"),
	WORD(config_list, kind, "kind", "ip", list_kinds, "what it lists"),
	TEXT(config_list, title, "title", "", "one line for people"),
	{"code", OPTION_CODE, AT(config_list, code), "127.0.0.2", 0, 0, NULL,
		"the A record of a listing"},
	TEXT(config_list, text, "text", "",
		"the TXT record; $ becomes what was asked; empty: title and url"),
	TEXT(config_list, url, "url", "",
		"page about a listing; $ becomes what was asked; empty: webd's"),
	YESNO(config_list, automatic, "automatic", "yes",
		"list by evidence; no: by hand and import alone"),
	COUNT(config_list, threshold, "threshold", "10", 1, 1000000,
		"weight of evidence that lists"),
	DURATION(
		config_list, window, "window", "24h", 1, 400 * DAY, "how far back evidence counts"),
	COUNT(config_list, distinct_traps, "distinct-traps", "1", 1, 1000,
		"different traps that must be hit"),
	COUNT(config_list, ip6_prefix, "ip6-prefix", "64", 32, 128,
		"IPv6 evidence lists a prefix of this length"),
	DURATION(config_list, lifetime, "lifetime", "1d", 1, 3650 * DAY,
		"how long the first listing lasts"),
	DURATION(config_list, lifetime_max, "lifetime-max", "32d", 1, 3650 * DAY,
		"doubling at each relisting stops here"),
	WORD(config_list, leave, "leave", "request", list_leaves,
		"how to leave before the time is over"),
	YESNO(config_list, leave_fcrdns, "leave-fcrdns", "yes",
		"removal only when reverse and forward DNS match"),
	DURATION(config_list, leave_quiet, "leave-quiet", "0s", 0, 400 * DAY,
		"time without evidence before a removal"),
	COUNT(config_list, leave_max, "leave-max", "3", 0, 1000,
		"removals granted within leave-period; 0: no limit"),
	DURATION(config_list, leave_period, "leave-period", "30d", 1, 3650 * DAY,
		"after leave-max removals in it only time helps"),
	DURATION(config_list, ttl, "ttl", "5m", 1, 7 * DAY, "TTL of a listing"),
	DURATION(config_list, negative_ttl, "negative-ttl", "1m", 0, DAY, "TTL of not listed"),
	PREFIXES(config_list, allow, "allow", "", "who may ask; empty: everybody"),
	PREFIXES(config_list, deny, "deny", "", "who is refused"),
	TEXTS(config_list, access, "access", "",
		"files that say who may ask, \"acl:file\" and \"aclkey:file\""),
	COUNT(config_list, quota_second, "quota-second", "0", 0, INT_MAX,
		"questions of one client or key to its zone in a second; 0: any number"),
	COUNT(config_list, quota_day, "quota-day", "0", 0, INT_MAX,
		"the same in a day; 0: any number"),
	END};

static const struct option dnsd[] = {
	TEXT(config_dnsd, user, "user", "sekisho-dnsd", "user to become after start as root"),
	ADDRESSES(config_dnsd, listen, "listen", "127.0.0.1:53", "addresses for UDP and TCP"),
	TEXTS(config_dnsd, xdp, "xdp", "",
		"network interfaces on which questions to them are answered past the network "
		"stack"),
	ADDRESS(config_dnsd, metrics, "metrics", "",
		"address where Prometheus fetches metrics by HTTP; empty: none"),
	TEXT(config_dnsd, dnstap, "dnstap", "",
		"Unix socket of a reader of dnstap; empty: no query log"),
	COUNT(config_dnsd, dnstap_sample, "dnstap-sample", "1000", 1, 1000000000,
		"one in so many questions goes to the query log"),
	COUNT(config_dnsd, workers, "workers", "0", 0, 256,
		"threads for UDP; 0: one for each processor"),
	COUNT(config_dnsd, tcp_sessions, "tcp-sessions", "1000", 1, 1000000,
		"TCP sessions at once"),
	DURATION(config_dnsd, tcp_idle, "tcp-idle", "10s", 1, HOUR,
		"a TCP session without a question ends"),
	TEXT(config_dnsd, nsid, "nsid", "", "told to those who ask for NSID; empty: nothing"),
	TEXT(config_dnsd, version, "version", "",
		"TXT of version.bind and version.server in class CH; empty: REFUSED"),
	TEXT(config_dnsd, identity, "identity", "",
		"TXT of id.server and hostname.bind in class CH; empty: REFUSED"),
	YESNO(config_dnsd, cookies, "cookies", "yes", "answer DNS cookies"),
	TEXTS(config_dnsd, cookie_secrets, "cookie-secrets", "",
		"32 hexadecimal digits each, the first makes cookies; empty: random ones"),
	COUNT(config_dnsd, rate_limit, "rate-limit", "0", 0, 1000000000,
		"answers of a kind over UDP in a second to one network; 0: no limit"),
	COUNT(config_dnsd, rate_slip, "rate-slip", "2", 0, 1000,
		"so many over the limit bring one truncated answer; 0: none"),
	COUNT(config_dnsd, quota_second, "quota-second", "0", 0, INT_MAX,
		"questions of one client or key in a second; 0: any number"),
	COUNT(config_dnsd, quota_day, "quota-day", "0", 0, INT_MAX,
		"the same in a day; 0: any number"),
	WORD(config_dnsd, quota_answer, "quota-answer", "refuse", quota_answers,
		"what is said over quota: REFUSED, or 127.255.255.255"),
	PREFIXES(config_dnsd, unlimited, "unlimited", "", "clients without rate limit and quotas"),
	DOMAINS(config_dnsd, nameservers, "nameservers", "localhost",
		"NS records of the zones of our lists"),
	DOMAIN(config_dnsd, hostmaster, "hostmaster", "hostmaster.localhost",
		"mail address in their SOA, with a dot for the @"),
	COUNT(config_dnsd, dnssec_signatures, "dnssec-signatures", "1000", 1, 1000000,
		"signatures made in a second by one thread; further ones over TCP only"),
	DURATION(config_dnsd, check_interval, "check-interval", "5s", 1, DAY,
		"how often changed rbldnsd files are looked for"),
	DOMAIN(config_dnsd, catalog, "catalog", "",
		"catalog zone (RFC 9432) of all zones that may be transferred; empty: none"),
	COUNT(config_dnsd, transfers, "transfers", "10", 1, 1000, "zone transfers out at once"),
	COUNT(config_dnsd, ixfr_memory, "ixfr-memory", "33554432", 0, 17179869184,
		"bytes of changes kept for incremental transfers of each zone"),
	DURATION(config_dnsd, notify_delay, "notify-delay", "1s", 0, HOUR,
		"changes are collected for so long before a NOTIFY"),
	PREFIXES(config_dnsd, allow, "allow", "", "who may ask; empty: everybody"),
	PREFIXES(config_dnsd, deny, "deny", "", "who is refused"),
	TEXTS(config_dnsd, access, "access", "", "files that say who may ask, \"acl:file\""), END};

static const struct option dnsd_dnssec[] = {
	TEXT(config_signed, key, "key", "", "file with the zone's private key: sekisho dns key"),
	TEXTS(config_signed, publish, "publish", "",
		"files with further keys, published but not used: the next one, or the last"),
	END};

static const struct option dnsd_zone[] = {
	TEXTS(config_zone, data, "data", "",
		"data sets, \"type:file,file\" as rbldnsd has them or \"snapshot:file\", in order"),
	PREFIXES(config_zone, allow, "allow", "", "who may ask; empty: everybody"),
	PREFIXES(config_zone, deny, "deny", "", "who is refused"),
	COUNT(config_zone, quota_second, "quota-second", "0", 0, INT_MAX,
		"questions of one client or key in a second; 0: any number"),
	COUNT(config_zone, quota_day, "quota-day", "0", 0, INT_MAX,
		"the same in a day; 0: any number"),
	END};

static const struct option dnsd_key[] = {
	TEXT(config_key, algorithm, "algorithm", "hmac-sha256", "of the signature"),
	TEXT(config_key, secret, "secret", "", "base64, as tsig-keygen prints it"),
	TEXT(config_key, secret_file, "secret-file", "",
		"file that holds the secret, so that this one need not"),
	END};

static const struct option dnsd_secondary[] = {ADDRESSES(config_secondary, address, "address", "",
						       "where NOTIFY goes; may transfer zones"),
	PREFIXES(config_secondary, from, "from", "", "addresses that may transfer zones, too"),
	TEXT(config_secondary, key, "key", "",
		"its messages must be signed with this key, ours will be"),
	DOMAINS(config_secondary, zones, "zones", "", "it may have these; empty: all"),
	YESNO(config_secondary, notify, "notify", "yes", "tell it about changes"), END};

static const struct option dnsd_primary[] = {
	ADDRESSES(config_primary, address, "address", "",
		"servers that have the zone, in the order they are asked"),
	TEXT(config_primary, key, "key", "",
		"questions to them and their answers are signed with this key"),
	PREFIXES(config_primary, notify_from, "notify-from", "",
		"addresses that may notify, beside these servers"),
	COUNT(config_primary, max_size, "max-size", "1073741824", 65536, 17179869184,
		"bytes that a transfer and the copy of the zone may have"),
	END};

static const struct option dnsd_rpz[] = {
	TEXTS(config_rpz, lists, "lists", "", "names of lists whose entries are its triggers"),
	TEXT(config_rpz, action, "action", "nxdomain",
		"what a resolver shall do: nxdomain, nodata, passthru, drop, tcp-only, or a name "
		"that "
		"it shall answer with"),
	END};

static const struct option trapd[] = {
	TEXT(config_trapd, user, "user", "sekisho-trapd", "user to become after start as root"),
	ADDRESSES(config_trapd, listen, "listen", "127.0.0.1:25", "addresses to take mail on"),
	TEXT(config_trapd, host_name, "host-name", "localhost", "name in the banner"),
	DOMAINS(config_trapd, domains, "domains", "",
		"mail to them is trap mail; empty, and no trap: any recipient"),
	PREFIXES(config_trapd, relays, "relays", "",
		"own MXes: the sender is in the Received line they wrote"),
	PREFIXES(config_trapd, proxies, "proxies", "", "peers that begin with a PROXY v2 header"),
	TEXT(config_trapd, tls_certificate, "tls-certificate", "", "PEM file; empty: self-signed"),
	TEXT(config_trapd, tls_key, "tls-key", "", "PEM file of its key"),
	COUNT(config_trapd, max_sessions, "max-sessions", "1000", 1, 100000, "sessions at once"),
	COUNT(config_trapd, max_sessions_per_ip, "max-sessions-per-ip", "20", 1, 100000,
		"of one address"),
	COUNT(config_trapd, max_size, "max-size", "10485760", 1024, 104857600, "bytes of one mail"),
	COUNT(config_trapd, max_memory, "max-memory", "268435456", 1048576, 68719476736,
		"bytes of mail at once, of all sessions"),
	COUNT(config_trapd, max_recipients, "max-recipients", "100", 1, 10000,
		"recipients of one mail"),
	DURATION(config_trapd, timeout, "timeout", "5m", 1, HOUR, "silence that ends a session"),
	COUNT(config_trapd, greet_delay_ms, "greet-delay-ms", "100", 0, 30000,
		"pause before the banner; who talks earlier is noted"),
	TEXT(config_trapd, sensor, "sensor", "trap", "this trap's name in the evidence"),
	TEXT(config_trapd, secret_file, "secret-file", "",
		"key that names traps; empty: state-dir/trapd/secret"),
	END};

static const struct option trapd_trap[] = {
	WORD(config_trap, type, "type", "pristine", config_trap_types,
		"how the address became a trap"),
	TEXTS(config_trap, addresses, "addresses", "",
		"traps, \"a@b.example\"; '*' stands for any letters"),
	DOMAINS(config_trap, domains, "domains", "", "every address at these is a trap"),
	COUNT(config_trap, weight, "weight", "-1", -1, 100,
		"percent of a hit's weight that counts; -1: what is usual for the type"),
	TEXT(config_trap, group, "group", "",
		"traps that one leak would betray together; empty: the name"),
	END};

static const struct option gated[] = {
	TEXT(config_gated, user, "user", "sekisho-gated", "user to become after start as root"),
	ADDRESSES(config_gated, milter, "milter", "", "addresses of the milter door"),
	ADDRESSES(config_gated, policy, "policy", "", "addresses of the Postfix policy door"),
	ADDRESSES(config_gated, resolver, "resolver", "127.0.0.1:53", "resolvers to ask"),
	PREFIXES(config_gated, own_networks, "own-networks", "127.0.0.0/8 ::1",
		"clients that are never judged"),
	COUNT(config_gated, reject_at, "reject-at", "10", 0, 1000000,
		"score that rejects; 0: never"),
	COUNT(config_gated, defer_at, "defer-at", "0", 0, 1000000, "score that defers; 0: never"),
	COUNT(config_gated, tag_at, "tag-at", "5", 0, 1000000,
		"score that tags for the junk folder; 0: never"),
	COUNT(config_gated, timeout_ms, "timeout-ms", "2000", 50, 30000,
		"then the answers that came decide"),
	COUNT(config_gated, cache_entries, "cache-entries", "100000", 100, 10000000,
		"answers remembered"),
	DURATION(config_gated, max_ttl, "max-ttl", "1h", 1, DAY,
		"no answer is remembered for longer"),
	TEXT(config_gated, header, "header", "X-Sekisho", "header line that tags"), END};

static const struct option gated_list[] = {WORD(config_gate_list, kind, "kind", "block", gate_kinds,
						   "block list, or allow list in the way of DNSWL"),
	COUNT(config_gate_list, weight, "weight", "10", -1000, 1000, "score of a hit"),
	TEXTS(config_gate_list, codes, "codes", "",
		"answers that count, \"127.0.0.[2..11]*5\"; empty: all of 127/8"),
	TEXTS(config_gate_list, error_codes, "error-codes", "127.255.255.[0..255]",
		"answers that never are a hit"),
	ADDRESS(config_gate_list, server, "server", "",
		"who answers for this list; empty: the resolver"),
	TEXT(config_gate_list, reply, "reply", "",
		"words of a rejection; $ client, %t reason, %z zone"),
	YESNO(config_gate_list, ip6, "ip6", "yes", "ask about IPv6 clients too"),
	YESNO(config_gate_list, enabled, "enabled", "yes", "no: known, and not asked"), END};

static const struct option webd[] = {
	TEXT(config_webd, user, "user", "sekisho-webd", "user to become after start as root"),
	ADDRESS(config_webd, listen, "listen", "127.0.0.1:8080",
		"address for HTTP, behind a TLS proxy"),
	TEXT(config_webd, base_url, "base-url", "", "the portal's address as the world sees it"),
	TEXT(config_webd, operator_name, "operator", "", "who runs the lists"),
	TEXT(config_webd, contact, "contact", "",
		"mail address for other matters (RFC 6471, 2.2.2)"),
	ADDRESSES(config_webd, resolver, "resolver", "127.0.0.1:53",
		"resolvers for the reverse DNS check"),
	PREFIXES(config_webd, trusted_proxies, "trusted-proxies", "127.0.0.0/8 ::1",
		"whose X-Forwarded-For counts"),
	COUNT(config_webd, max_connections, "max-connections", "1000", 1, 100000,
		"connections at once"),
	COUNT(config_webd, max_per_ip, "max-per-ip", "0", 0, 100000,
		"of one address; 0: no limit (behind a proxy)"),
	DURATION(config_webd, request_timeout, "request-timeout", "30s", 1, HOUR,
		"for a whole request; slow clients are cut off"),
	COUNT(config_webd, lookup_rate, "lookup-rate", "60", 1, 60000,
		"look-ups of one address in a minute"),
	COUNT(config_webd, removal_rate, "removal-rate", "20", 1, 60000,
		"removal requests of one address in an hour"),
	END};

static const struct option listd[] = {
	TEXT(config_listd, user, "user", "sekisho-listd", "user to become after start as root"),
	TEXT(config_listd, store, "store", "", "SQLite file; empty: state-dir/sekisho.db"),
	DURATION(config_listd, snapshot_interval, "snapshot-interval", "60s", 1, DAY,
		"between snapshots, when something changed"),
	COUNT(config_listd, keep_evidence, "keep-evidence", "400", 1, 3650, "days"),
	PREFIXES(config_listd, never, "never", "",
		"never listed, beside the special ranges of IANA"),
	DOMAINS(config_listd, never_domains, "never-domains", "",
		"never listed, nor what lies below"),
	COUNT(config_listd, weights.trap_hit, "weight-trap-hit", "10", 0, 1000000,
		"weight of a spam to a trap"),
	COUNT(config_listd, weights.abuse_report, "weight-abuse-report", "3", 0, 1000000,
		"weight of a complaint"),
	COUNT(config_listd, weights.auth_failure, "weight-auth-failure", "1", 0, 1000000,
		"weight of a failed login"),
	COUNT(config_listd, weights.manual, "weight-manual", "10", 0, 1000000,
		"weight of evidence given by hand"),
	END};

static const struct option check[] = {
	ADDRESSES(config_check, resolver, "resolver", "127.0.0.1:53", "resolvers to ask"),
	TEXTS(config_check, lists, "lists", "",
		"zones to ask, \"zone\" or \"zone@addr:port\"; empty: gated's"),
	COUNT(config_check, timeout_ms, "timeout-ms", "5000", 50, 60000, "for all answers"), END};

const struct option_section option_sections[] = {
	{"", false, top, sizeof(struct config), "the whole suite"},
	{"list", true, list, sizeof(struct config_list), "a list that this site runs"},
	{"dnsd", false, dnsd, sizeof(struct config_dnsd), "the DNS server"},
	{"dnsd|zone", true, dnsd_zone, sizeof(struct config_zone), "a zone from rbldnsd files"},
	{"dnsd|key", true, dnsd_key, sizeof(struct config_key), "a secret shared for transfers"},
	{"dnsd|secondary", true, dnsd_secondary, sizeof(struct config_secondary),
		"a server that may transfer our zones"},
	{"dnsd|primary", true, dnsd_primary, sizeof(struct config_primary),
		"a zone that is transferred from other servers"},
	{"dnsd|rpz", true, dnsd_rpz, sizeof(struct config_rpz),
		"a response policy zone (RPZ) of our lists, for resolvers"},
	{"dnsd|dnssec", true, dnsd_dnssec, sizeof(struct config_signed),
		"a zone whose answers are signed"},
	{"trapd", false, trapd, sizeof(struct config_trapd), "the spamtrap"},
	{"trapd|trap", true, trapd_trap, sizeof(struct config_trap),
		"addresses that are traps, of one type"},
	{"gated", false, gated, sizeof(struct config_gated), "the gate"},
	{"gated|list", true, gated_list, sizeof(struct config_gate_list),
		"a list that the gate asks"},
	{"webd", false, webd, sizeof(struct config_webd), "the portal"},
	{"listd", false, listd, sizeof(struct config_listd), "the keeper of the lists"},
	{"check", false, check, sizeof(struct config_check), "sekisho check"},
	{NULL, false, NULL, 0, NULL},
};

const struct option_section *option_section_named(const char *name)
{
	for (const struct option_section *s = option_sections; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	abort();
}

const char *option_section_leaf(const char *name)
{
	const char *bar = strrchr(name, '|');

	return bar ? bar + 1 : name;
}
