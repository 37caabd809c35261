/* tls.h - inside of io: what stream.c and tls.c share. */
#pragma once

#include <gnutls/gnutls.h>

struct tls_server {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};
