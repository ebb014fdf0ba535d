# SPDX-License-Identifier: MIT
"""Refusals, in the shapes the API gives them."""


class ApiError(Exception):
    """One refused request: an HTTP status and the list of errors that is its body."""

    def __init__(self, status, body, headers=()):
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = list(headers)


def refuse(status, code, message, fields=None):
    """fields=None leaves the key out, as many of the real replies do."""
    entry = {"message": message, "errorCode": code}
    if fields is not None:
        entry["fields"] = list(fields)
    return ApiError(status, [entry])


def resource_missing():
    return ApiError(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


def external_id_missing(name):
    return refuse(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: %s" % name)


def session_invalid():
    error = refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")
    error.headers.append(("WWW-Authenticate", "Token"))
    return error


def limit_exceeded():
    return refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def concurrent_limit():
    return refuse(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")


def row_locked(record_id="unknown"):
    text = "unable to obtain exclusive access to this record or 1 records: %s" % record_id
    return refuse(400, "UNABLE_TO_LOCK_ROW", text, [])


def entity_deleted():
    return refuse(404, "ENTITY_IS_DELETED", "entity is deleted", [])


def cross_reference_missing(status=404):
    return refuse(status, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])


def no_column(name, object_name):
    return refuse(400, "INVALID_FIELD", "No such column '%s' on sobject of type %s" % (name, object_name))


def method_not_allowed(method, allowed):
    error = ApiError(405, [{"errorCode": "METHOD_NOT_ALLOWED",
                            "message": "HTTP Method '%s' not allowed. Allowed are %s" % (method, ",".join(allowed))}])
    error.headers.append(("Allow", ",".join(allowed)))
    return error


def precondition_failed():
    return refuse(412, "PRECONDITION_FAILED", "The record has been modified since the time given in the request")


def malformed_query(message):
    return refuse(400, "MALFORMED_QUERY", message)


def json_parser_error(message):
    return refuse(400, "JSON_PARSER_ERROR", message)


def as_row_errors(error):
    """The same refusal inside a collections reply, where the code is called statusCode."""
    return [{"statusCode": entry["errorCode"], "message": entry["message"], "fields": entry.get("fields", [])}
            for entry in error.body]
