/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files and the files of folders: seeds that must never fail again. */
#include <dirent.h>
#include <limits.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	uint8_t *data;

	if (f && fseek(f, 0, SEEK_END) == 0) {
		size = ftell(f);
	}
	if (size < 0) {
		perror(path);
		exit(1);
	}
	rewind(f);
	data = malloc((size_t)size + 1);
	must(data && fread(data, 1, (size_t)size, f) == (size_t)size);
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 1;
}

static int replay_folder(DIR *dir, const char *path)
{
	char name[PATH_MAX];
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
			n += replay_file(name);
		}
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		n += dir ? replay_folder(dir, argv[i]) : replay_file(argv[i]);
	}
	printf("%d inputs\n", n);
	return n ? 0 : 1;
}
