/* SPDX-License-Identifier: MIT */
/* Opening a page in the person's browser. */
#ifndef FORCEFS_APP_BROWSER_H
#define FORCEFS_APP_BROWSER_H

/* Starts xdg-open and does not wait for it; where there is none nothing happens. For a process
 * without threads of its own. */
void browser_open(const char *url);

#endif
