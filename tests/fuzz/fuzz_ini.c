/* SPDX-License-Identifier: MIT */
/* The settings file. */
#include "fuzz.h"
#include "settings_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = {0};
	struct error err = {0};
	uint8_t *copy = malloc(size + 1);
	FILE *file;

	must(copy);
	if (size) {
		memcpy(copy, data, size);
	}
	copy[size] = '\n';
	file = fmemopen(copy, size + 1, "r");
	must(file);
	if (settings_read(file, "forcefs.ini", "acme", &s, &err) == 0) {
		must(s.org && !strcmp(s.org, "acme") && s.timeout_s >= 1 && s.ttl_s >= 0);
		settings_release(&s);
	} else {
		must(err.errnum && err.text[0]);
	}
	fclose(file);
	free(copy);
	return 0;
}
