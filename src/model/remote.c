/* SPDX-License-Identifier: MIT */
/* Gives back what a remote has handed out. */
#include "forcefs/model/remote.h"

#include <stdlib.h>

void remote_doc_release(struct remote_doc *d)
{
	free(take_ptr(&d->json));
	d->len = 0;
}

void remote_page_release(struct remote_page *p)
{
	free(take_ptr(&p->next));
}
