/* dnssec.c - `sekisho dnssec`: makes the key of a signed zone, and tells what its parent must know. */
#include "base/buf.h"
#include "dns/zone_key.h"
#include "io/file.h"
#include "tools/tools.h"

#include <errno.h>
#include <getopt.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536

static const char usage[] =
	"usage: sekisho dnssec key FILE        make a private key (ECDSA P-256) in a new file\n"
	"       sekisho dnssec ds ZONE FILE    the DS and DNSKEY records of a zone signed with "
	"it\n";

static int failed(const char *what)
{
	fprintf(stderr, "sekisho dnssec: %s\n", what);
	return EXIT_COULD_NOT;
}

static bool make_key(struct buf *pem, struct err *err)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t out = {NULL, 0};
	int code = gnutls_x509_privkey_init(&key);

	if (code == 0)
		code = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (code == 0)
		code = gnutls_x509_privkey_export2_pkcs8(
			key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &out);
	if (code == 0)
		buf_add(pem, out.data, out.size);
	gnutls_free(out.data);
	gnutls_x509_privkey_deinit(key);
	return code == 0 ? true : err_set(err, ERR_SYSTEM, "no key: %s", gnutls_strerror(code));
}

static int key_main(const char *path)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(KEY_FILE_MAX);
	struct stat st;
	struct err err;

	if (stat(path, &st) == 0 || errno != ENOENT) {
		fprintf(stderr, "sekisho dnssec: %s is there already: name a new file\n", path);
		return EXIT_USAGE;
	}
	if (!make_key(&pem, &err) || !file_replace(path, buf_slice(&pem), 0600, &err))
		return failed(err.text);
	printf("%s: say  dnssec \"your.zone\" { key = \"%s\" }  in section dnsd\n", path, path);
	return EXIT_CLEAN;
}

static void print_hex(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
}

static int ds_main(const char *zone, const char *path)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(0);
	struct zone_key *key = NULL;
	gnutls_datum_t text = {NULL, 0}, raw;
	struct slice ds, dnskey;
	struct domain name;
	struct err err;

	if (!domain_parse_idn(slice_str(zone), &name, &err)
		|| !file_read(path, KEY_FILE_MAX, &pem, &err)
		|| !(key = zone_key_new(buf_slice(&pem), &name, &err)))
		return failed(err.text);
	ds = zone_key_ds(key);
	dnskey = zone_key_dnskey(key);
	raw = (gnutls_datum_t){(uint8_t *)dnskey.ptr + 4, (unsigned)dnskey.len - 4};
	if (gnutls_base64_encode2(&raw, &text) != 0)
		return failed("no memory");
	printf("%s. DS %u 13 2 ", domain_text(&name).s, zone_key_tag(key));
	print_hex((const uint8_t *)ds.ptr + 4, ds.len - 4);
	printf("\n%s. DNSKEY 257 3 13 %.*s\n", domain_text(&name).s, (int)text.size,
		(const char *)text.data);
	gnutls_free(text.data);
	zone_key_free(key);
	return EXIT_CLEAN;
}

int dnssec_main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	const char *verb;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		fputs(usage, c == 'h' ? stdout : stderr);
		return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
	}
	verb = optind < argc ? argv[optind] : "";
	if (strcmp(verb, "key") == 0 && argc - optind == 2)
		return key_main(argv[optind + 1]);
	if (strcmp(verb, "ds") == 0 && argc - optind == 3)
		return ds_main(argv[optind + 1], argv[optind + 2]);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
