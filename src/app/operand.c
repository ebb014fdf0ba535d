/* SPDX-License-Identifier: MIT */
/* Arguments of the commands that take one operand, and --json. */
#include <getopt.h>

#include "command.h"
#include "report.h"

int command_operand(int argc, char **argv, const char *doing, const char *missing, bool *ret_json,
	const char **ret)
{
	static const struct option names[] = {{"json", no_argument, NULL, 'j'}, {0}};
	int letter;
	*ret_json = false;
	optind = 0;
	while ((letter = getopt_long(argc, argv, ":", names, NULL)) != -1) {
		if (letter != 'j') {
			return report_usage(doing, "there is no such option");
		}
		*ret_json = true;
	}
	if (argc - optind != 1) {
		return report_usage(doing, "%s", missing);
	}
	*ret = argv[optind];
	return EXIT_FINE;
}
