/* gunzip.h - gzip'd data files: rbldnsd reads them as they are, and so do we. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

bool gunzip_is(struct slice bytes); /* does it begin as gzip (RFC 1952)? */
/* One or several members; ret gets the whole text, or is left as it is. A bomb stops at the limit. */
bool gunzip(struct slice bytes, size_t limit, struct buf *ret, struct err *err);
