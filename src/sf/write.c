/* SPDX-License-Identifier: MIT */
/* What update, create and remove have in common: paths, checks of the JSON, what a refusal means.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool holds(const char *json, size_t len, const char *what)
{
	return memmem(json, len, what, strlen(what)) != NULL;
}

/* Too often is harmless: such a record travels alone. */
bool write_looks_like_reference(const char *json, size_t len)
{
	return holds(json, len, "@{") || holds(json, len, "\\u0040") ||
	       holds(json, len, "\\u007b") || holds(json, len, "\\u007B");
}

static int ignore_member(void *payload, struct json_slice key, struct json_slice value)
{
	(void)payload, (void)key, (void)value;
	return 0;
}

bool write_is_object(const char *json, size_t len)
{
	return json_text_members(json, len, ignore_member, NULL, NULL) == 0;
}

/* Of a record that stands in a field's value, not of the one that is written. */
static bool is_about_lookup(const struct error *fault)
{
	if (fault->http_status != 400) {
		return false;
	}
	return !strncmp(fault->code, "INVALID_CROSS_REFERENCE_", 24) ||
	       (sf_error_is(fault, "ENTITY_IS_DELETED") && fault->fields[0]);
}

int write_verdict(struct error *fault)
{
	if (fault->http_status == 412) {
		fault->errnum = ESTALE;
	} else if (fault->errnum == ENOENT && is_about_lookup(fault)) {
		fault->errnum = EINVAL;
	}
	return -fault->errnum;
}

int write_judge(struct sf *sf, const struct part *p, struct error *err)
{
	struct error fault = {0};

	if (part_judge(sf, p, &fault) == 0) {
		return 0;
	}
	*err = fault;
	return write_verdict(err);
}

char *write_path(const char *base, const char *object, const struct id *id)
{
	char *path = NULL;

	if (asprintf(&path, "%s/sobjects/%s%s%s", base, object, id ? "/" : "", id ? id->text : "") <
		0) {
		return NULL;
	}
	return path;
}
