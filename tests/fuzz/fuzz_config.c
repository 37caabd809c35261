/* fuzz_config.c - any bytes as configuration file: a configuration or faults, never both or neither. */
#include "config/config.h"
#include "io/file.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf faults = BUF_INIT(1 << 20);
	char path[64];
	int fd = memfd_create("config", 0);
	struct config *c;

	if (fd < 0 || !file_write_all(fd, slice_of(data, size), NULL))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	c = config_load(path, &faults);
	if ((c != NULL) == (faults.len > 0))
		abort();
	config_free(c);
	buf_done(&faults);
	close(fd);
	return 0;
}
