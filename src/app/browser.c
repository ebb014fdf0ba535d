/* SPDX-License-Identifier: MIT */
/* Two forks: the browser lives on without us, and nobody has to wait for it. */
#include "browser.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/spawn.h"

/* A browser chats on stderr, and one in text mode would want the terminal. */
static void let_go(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; nothing >= 0 && fd <= 2; fd++) {
		dup2(nothing, fd);
	}
	setsid();
	spawn_hide_files();
}

static void run(const char *url)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	let_go();
	execlp("xdg-open", "xdg-open", url, (char *)NULL);
	_exit(127);
}

void browser_open(const char *url)
{
	pid_t pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			run(url);
		}
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0) {
	}
}
