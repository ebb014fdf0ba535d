/* SPDX-License-Identifier: MIT */
/* Gives back what a remote has handed out, and the steps of its histogram. */
#include "forcefs/model/remote.h"

#include <stdlib.h>

const int remote_took_ms[REMOTE_TOOK_STEPS] = {
	25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000};

void remote_doc_release(struct remote_doc *d)
{
	free(take_ptr(&d->json));
	d->len = 0;
}

void remote_page_release(struct remote_page *p)
{
	free(take_ptr(&p->next));
}
