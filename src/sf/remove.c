/* SPDX-License-Identifier: MIT */
/* Deleting a record. Doing it twice harms nobody, so net may send it again after a lost reply. */
#include "sf_priv.h"

#include <errno.h>

static int send_delete(struct sf *sf, const struct schema *schema, const struct id *id,
	const struct until *until, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {.method = "DELETE",
		.limit_bytes = SF_SMALL_LIMIT_BYTES,
		.write = true,
		.bare = true};
	int r = versions_base(sf, until, base, err);

	if (r < 0) {
		return r;
	}
	path = write_path(base, schema->object, id);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	return sf_call_perform(sf, &call, until, &reply, err);
}

/* In the bin, out of the bin, or never there. With status 400 the same codes speak of another
 * record; NOT_FOUND is said as well of one that only this user cannot see any more. */
static bool is_gone(const struct error *fault)
{
	return sf_error_is(fault, "ENTITY_IS_DELETED") ||
	       (fault->http_status == 404 && sf_error_is(fault, "INVALID_CROSS_REFERENCE_KEY"));
}

int sf_remove(struct sf *sf, const struct schema *schema, const struct id *id,
	const struct until *until, struct error *err)
{
	struct error fault = {0};
	int r = until_check(until, err);

	if (r < 0) {
		return r;
	}
	if (!soql_name_ok(schema->object)) {
		return error_set(err, EINVAL, "the object's name is no name");
	}
	r = send_delete(sf, schema, id, until, &fault);
	if (r < 0 && !sf_error_is(&fault, "ENTITY_IS_DELETED") &&
		versions_changed(sf, until, &fault)) {
		fault = (struct error){0};
		r = send_delete(sf, schema, id, until, &fault);
	}
	if (r == 0 || is_gone(&fault)) {
		return 0;
	}
	if (err) {
		*err = fault;
	}
	return r;
}
