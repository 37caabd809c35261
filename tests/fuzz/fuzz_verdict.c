/* fuzz_verdict.c - the words of a refusal: whatever a list writes into its TXT, one line of printable
 * ASCII with our code in front, at most 400 bytes, and no half of a URL. */
#include "gated/verdict.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reply[VERDICT_REPLY_MAX + 1], words[2048];
	char *template, *reason, *url;
	size_t len = size < sizeof words ? size : sizeof words - 1;

	memcpy(words, data, len);
	words[len] = 0;
	/* a line for the template, the rest is the reason */
	reason = memchr(words, '\n', len);
	template = reason ? words : NULL;
	if (reason)
		*reason++ = 0;
	else
		reason = words;
	/* as dnsbl.c hands texts on, so that a URL is the same before and behind */
	for (char *p = reason; !template && *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	verdict_reply("550 5.7.1", template, "192.0.2.1", "bl.test", reason, reply);
	if (strlen(reply) > VERDICT_REPLY_MAX || strncmp(reply, "550 5.7.1", 9) != 0)
		abort();
	for (const char *p = reply; *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
	/* in the default words a URL is the reason's, whole, or not there */
	url = template ? NULL : strstr(reply, "http://");
	if (url && strlen(reply) == VERDICT_REPLY_MAX && !strchr(url, ' ')) {
		struct slice all = slice_str(reason);
		size_t at = slice_find_nocase(all, slice_str(url));
		struct slice rest = slice_skip(all, at + strlen(url));

		if (at == all.len)
			abort();
		if (rest.len > 0 && rest.ptr[0] > ' ' && rest.ptr[0] <= '~'
			&& !strchr("\"<>.,;)]:", rest.ptr[0]))
			abort();
	}
	return 0;
}
