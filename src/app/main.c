/* SPDX-License-Identifier: MIT */
/* The program: makes sure that 0 to 2 are open and that children can be waited for, then runs a
 * command. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"

/* Else the first file we open could become someone's stderr. */
static void fill_standard_files(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) < 0) {
			abort();
		}
	} while (fd >= 0 && fd <= 2);
	if (fd > 2) {
		close(fd);
	}
}

int main(int argc, char **argv)
{
	fill_standard_files();
	/* Who started us may ignore it, and an exec keeps that: no child would tell how it ended. */
	signal(SIGCHLD, SIG_DFL);
	return command_main(argc, argv);
}
