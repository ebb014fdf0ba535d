# SPDX-License-Identifier: MIT
"""A bare client: one call, one reply, nothing retried and nothing hidden."""
import gzip
import http.client
import json
import urllib.parse

VERSION = "v64.0"
BASE = "/services/data/" + VERSION


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The errorCode of a refusal."""
        return self.json[0]["errorCode"]

    def __repr__(self):
        return "<%d %r>" % (self.status, self.body[:300])


class Api:
    def __init__(self, org):
        self.org = org
        self.token = org.log_in()

    def call(self, method, path, body=None, headers=None, token=True, timeout=30):
        """path below /services/data/vXX.X, or a whole path."""
        if not path.startswith("/services") and not path.startswith("/id/"):
            path = BASE + path
        parts = urllib.parse.urlsplit(self.org.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        sent = dict(headers or {})
        if token:
            sent.setdefault("Authorization", "Bearer " + self.token)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            content = reply.read()
            if reply.getheader("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            return Reply(reply.status, reply.headers, content)
        finally:
            connection.close()

    def get(self, path, headers=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.call("GET", path, headers=headers)

    def post(self, path, body, **options):
        return self.call("POST", path, body, **options)

    def patch(self, path, body, **options):
        return self.call("PATCH", path, body, **options)

    def delete(self, path):
        return self.call("DELETE", path)

    def soql(self, text, batch=None, all=False):
        headers = {"Sforce-Query-Options": "batchSize=%d" % batch} if batch else {}
        return self.get("/queryAll" if all else "/query", headers, q=text)

    def records(self, text, **options):
        reply = self.soql(text, **options)
        assert reply.status == 200, reply
        return reply.json["records"]

    def values(self, text, field):
        return [record[field] for record in self.records(text)]

    def form(self, path, **fields):
        return self.call("POST", path, urllib.parse.urlencode(fields),
                         {"Content-Type": "application/x-www-form-urlencoded"}, token=False)

    def token_request(self, **fields):
        form = {"grant_type": "refresh_token", "client_id": self.org.client_id, "client_secret": self.org.client_secret,
                "refresh_token": self.org.refresh_token}
        form.update(fields)
        return self.form("/services/oauth2/token", **{key: value for key, value in form.items() if value is not None})

    def composite(self, *parts, version=VERSION, **options):
        """parts: (method, path below the version, more entries as a dict)"""
        requests = []
        for number, (method, path, more) in enumerate(parts):
            requests.append(dict({"method": method, "url": BASE + path, "referenceId": "r%d" % number}, **more))
        return self.post("/services/data/%s/composite" % version, dict(options, compositeRequest=requests))
