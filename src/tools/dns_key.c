/* dns_key.c - `sekisho dns key, ds`: makes the key of a signed zone, and tells what its parent must know. */
#include "tools/dns_private.h"

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

static const char key_usage[] =
	"usage: sekisho dns key FILE        make a private key (ECDSA P-256) in a new file\n";
static const char ds_usage[] =
	"usage: sekisho dns ds ZONE FILE    the DS and DNSKEY records of a zone signed with it\n";

static int failed(const char *what)
{
	fprintf(stderr, "sekisho dns: %s\n", what);
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

static int make_file(const char *path)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(KEY_FILE_MAX);
	struct stat st;
	struct err err;

	if (stat(path, &st) == 0 || errno != ENOENT) {
		fprintf(stderr, "sekisho dns: %s is there already: name a new file\n", path);
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

static int show_ds(const char *zone, const char *path)
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

/* The words behind the verb, exactly `count` of them; NULL: *ret_status is what there is to say. */
static char **take_words(int argc, char **argv, int count, const char *usage, int *ret_status)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int c = getopt_long(argc, argv, "h", options, NULL);

	if (c == -1 && argc - optind == count)
		return argv + optind;
	fputs(usage, c == 'h' ? stdout : stderr);
	*ret_status = c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
	return NULL;
}

int dns_key_main(int argc, char **argv)
{
	int status;
	char **words = take_words(argc, argv, 1, key_usage, &status);

	return words ? make_file(words[0]) : status;
}

int dns_ds_main(int argc, char **argv)
{
	int status;
	char **words = take_words(argc, argv, 2, ds_usage, &status);

	return words ? show_ds(words[0], words[1]) : status;
}
