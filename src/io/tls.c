/* tls.c - certificates for the server side of TLS. */
#include "io/tls.h"
#include "base/mem.h"
#include "io/random.h"
#include "io/stream.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <time.h>

#define SELFSIGNED_DAYS 365

static struct tls_server *server_new(struct err *err)
{
	struct tls_server *tls = mem_new(1, sizeof *tls);

	if (gnutls_certificate_allocate_credentials(&tls->credentials) == 0
		&& gnutls_priority_init(&tls->priority, "NORMAL", NULL) == 0)
		return tls;
	err_set(err, ERR_SYSTEM, "GnuTLS: cannot begin");
	return tls_server_free(tls);
}

struct tls_server *tls_server_new(const char *cert_file, const char *key_file, struct err *err)
{
	struct tls_server *tls = server_new(err);
	int rc;

	if (!tls)
		return NULL;
	rc = gnutls_certificate_set_x509_key_file(
		tls->credentials, cert_file, key_file, GNUTLS_X509_FMT_PEM);
	if (rc == 0)
		return tls;
	err_set(err, ERR_SYSTEM, "cannot use certificate %s with key %s: %s", cert_file, key_file,
		gnutls_strerror(rc));
	return tls_server_free(tls);
}

static int sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *host_name)
{
	unsigned char serial[8];
	time_t now = time(NULL);
	int rc;

	random_bytes(serial, sizeof serial);
	serial[0] &= 0x7f; /* positive, as X.509 wants it */
	if ((rc = gnutls_x509_privkey_generate(
		     key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0))
		|| (rc = gnutls_x509_crt_set_version(crt, 3))
		|| (rc = gnutls_x509_crt_set_key(crt, key))
		|| (rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial))
		|| (rc = gnutls_x509_crt_set_activation_time(crt, now - 86400))
		|| (rc = gnutls_x509_crt_set_expiration_time(
			    crt, now + (time_t)SELFSIGNED_DAYS * 86400))
		|| (rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
			    host_name, (unsigned)strlen(host_name)))
		|| (rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host_name,
			    (unsigned)strlen(host_name), GNUTLS_FSAN_SET)))
		return rc;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

struct tls_server *tls_server_selfsigned(const char *host_name, struct err *err)
{
	struct tls_server *tls = server_new(err);
	gnutls_x509_crt_t crt = NULL;
	gnutls_x509_privkey_t key = NULL;
	int rc;

	if (!tls)
		return NULL;
	if ((rc = gnutls_x509_crt_init(&crt)) == 0 && (rc = gnutls_x509_privkey_init(&key)) == 0
		&& (rc = sign(crt, key, host_name)) == 0)
		rc = gnutls_certificate_set_x509_key(tls->credentials, &crt, 1, key);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	if (rc == 0)
		return tls;
	err_set(err, ERR_SYSTEM, "cannot make a certificate for '%s': %s", host_name,
		gnutls_strerror(rc));
	return tls_server_free(tls);
}

struct tls_server *tls_server_free(struct tls_server *tls)
{
	if (tls) {
		if (tls->credentials)
			gnutls_certificate_free_credentials(tls->credentials);
		if (tls->priority)
			gnutls_priority_deinit(tls->priority);
		free(tls);
	}
	return NULL;
}
