/* replay.c - gives each saved input to a fuzz target, so that what a fuzzer once found fails in every
 * build. Each input lies in a heap block of exact size: ASan sees one byte past the end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *exact;
	int ok;

	if (!f || fstat(fileno(f), &st) != 0) {
		perror(path);
		return 1;
	}
	exact = malloc(st.st_size ? (size_t)st.st_size : 1);
	ok = exact && fread(exact, 1, (size_t)st.st_size, f) == (size_t)st.st_size;
	fclose(f);
	if (ok)
		LLVMFuzzerTestOneInput(exact, (size_t)st.st_size);
	free(exact);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	char path[4096];
	struct dirent *entry;
	int count = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

	if (!folder) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		if (replay_file(path) != 0)
			return 1;
		count++;
	}
	closedir(folder);
	printf("%d saved inputs\n", count);
	return count ? 0 : 1; /* a target without inputs proves nothing */
}
