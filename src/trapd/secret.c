/* secret.c - 128 bits in hex, one line. */
#include "trapd/secret.h"
#include "base/buf.h"
#include "io/file.h"
#include "io/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool hex_value(char c, uint8_t *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*ret = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

static bool secret_parse(struct slice text, uint8_t ret_key[16])
{
	uint8_t high, low;

	text = slice_trim(text);
	if (text.len != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		if (!hex_value(text.ptr[2 * i], &high) || !hex_value(text.ptr[2 * i + 1], &low))
			return false;
		ret_key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool secret_make(const char *path, uint8_t ret_key[16], struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64), folder = BUF_INIT(4096);
	const char *slash = strrchr(path, '/');

	if (slash && slash != path) {
		buf_add(&folder, path, (size_t)(slash - path));
		if (!file_make_folder(buf_str(&folder), 0750, err))
			return false;
	}
	random_bytes(ret_key, 16);
	for (size_t i = 0; i < 16; i++)
		buf_addf(&text, "%02x", ret_key[i]);
	buf_add_char(&text, '\n');
	return file_replace(path, buf_slice(&text), 0600, err);
}

bool secret_load(const char *path, uint8_t ret_key[16], struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		if (!secret_make(path, ret_key, err))
			return err_prefix(err, "trapd: secret-file: ");
		return true;
	}
	if (!file_read(path, 1024, &text, err))
		return err_prefix(err, "trapd: secret-file: ");
	if (!secret_parse(buf_slice(&text), ret_key))
		return err_set(err, ERR_CORRUPT,
			"trapd: secret-file: %s does not hold 32 hex digits; remove it to get a "
			"new key (traps get new names)",
			path);
	return true;
}
