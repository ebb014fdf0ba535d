# SPDX-License-Identifier: MIT
"""Log-ins: the token endpoint, the authorize page, sessions and refresh tokens."""
import base64
import hashlib
import hmac
import html
import secrets
import threading
import time
import urllib.parse

from . import assertion, refusals
from .http1 import Reply
from .jsontext import dumps
from .refusals import Refused

CLIENT_ID = "3MVG9practice.practice_practice.org_consumer_key"
CLIENT_SECRET = "PRACTICE0CONSUMER0SECRET"
SCOPE = "refresh_token api web"
CODE_LIFE = 900
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class RefreshToken:
    """`family` is shared by every token that rotation derives from one log-in."""

    def __init__(self, family):
        self.family = family
        self.used = False


class Family:
    def __init__(self):
        self.revoked = False


class Login:
    """What the org knows about tokens. Times are wall-clock seconds."""

    client_secret = CLIENT_SECRET

    def __init__(self, world, rotation=False, callbacks=(), jwt_key=None, policies=()):
        self.world = world
        self.callbacks = frozenset(callbacks)
        self.rotation = rotation
        self.jwt_key = jwt_key
        self.policies = list(policies)
        self.hold_ms = 0
        self.failures = []
        self.session_seconds = None
        self.lock = threading.Lock()
        self.sessions = {}
        self.refresh_tokens = {}
        self.codes = {}
        self.busy = set()
        self.first_refresh_token = self.fixed_refresh_token()

    def fixed_refresh_token(self):
        """The same after a restart, so that a client that outlives the process can come back."""
        digest = hashlib.sha256(("refresh %s" % self.world.seed).encode()).hexdigest()
        token = "5Aep861" + digest
        self.refresh_tokens[token] = RefreshToken(Family())
        return token

    # sessions

    def session_valid(self, token):
        with self.lock:
            expires = self.sessions.get(token, 0)
            if expires is not None and expires < time.time():
                self.sessions.pop(token, None)
                return False
            return True

    def new_session(self):
        token = "%s!AQ%s" % (self.world.org_id[:15], secrets.token_urlsafe(60).replace("-", "."))
        self.sessions[token] = time.time() + self.session_seconds if self.session_seconds else None
        return token

    def expire_sessions(self):
        with self.lock:
            self.sessions.clear()

    def expire(self, token):
        with self.lock:
            self.sessions.pop(token, None)

    def revoke_all(self):
        with self.lock:
            for token in self.refresh_tokens.values():
                token.family.revoked = True
            self.sessions.clear()

    def new_refresh_token(self, family=None):
        token = "5Aep861" + secrets.token_urlsafe(60).replace("-", ".")
        self.refresh_tokens[token] = RefreshToken(family or Family())
        return token

    # the token endpoint

    def token(self, form, host_url, basic=None):
        """basic: (client_id, client_secret) of an Authorization header, which may stand for the form's."""
        handlers = {"refresh_token": self.refresh, "client_credentials": self.client_credentials,
                    "authorization_code": self.authorization_code, JWT_BEARER: self.jwt_bearer}
        grant = form.get("grant_type", "")
        if grant not in handlers:
            raise Refused("unsupported_grant_type", "grant type not supported")
        self.injected_failure()
        if basic:
            form = dict(form, client_id=basic[0], client_secret=basic[1])
        if grant != JWT_BEARER:
            self.check_client(form, secret_needed=grant == "client_credentials")
        else:
            assertion.check(form.get("assertion", ""), self.jwt_key, CLIENT_ID, self.world.username, host_url)
        refusals.apply(self.policies, grant)
        return self.token_reply(handlers[grant](form), host_url, grant)

    def injected_failure(self):
        with self.lock:
            if self.failures:
                failure = self.failures[0]
                failure["times"] -= 1
                if failure["times"] <= 0:
                    self.failures.pop(0)
                raise Refused(failure["error"], failure["error_description"], failure["status"])

    def check_client(self, form, secret_needed):
        if not form.get("client_id"):
            raise Refused("invalid_request", "missing required parameter: client_id")
        if form["client_id"] != CLIENT_ID:
            raise Refused("invalid_client_id", "client identifier invalid")
        secret = form.get("client_secret")
        if secret is None and not secret_needed:
            return  # a public client
        if not hmac.compare_digest((secret or "").encode(), CLIENT_SECRET.encode()):
            raise Refused("invalid_client", "invalid client credentials")

    def refresh(self, form):
        text = form.get("refresh_token", "")
        with self.lock:
            if text in self.busy:
                raise Refused("invalid_grant", "token request is already being processed")
            self.busy.add(text)
            hold = self.hold_ms
        try:
            time.sleep(hold / 1000.0)
            with self.lock:
                return self.use_refresh_token(text)
        finally:
            with self.lock:
                self.busy.discard(text)

    def use_refresh_token(self, text):
        token = self.refresh_tokens.get(text)
        if token is None or token.family.revoked:
            raise Refused("invalid_grant", "expired access/refresh token")
        if token.used:
            token.family.revoked = True  # an old token turned up again: somebody has a copy
            raise Refused("invalid_grant", "expired access/refresh token")
        granted = {"access_token": self.new_session()}
        if self.rotation:
            token.used = True
            granted["refresh_token"] = self.new_refresh_token(token.family)
        return granted

    def client_credentials(self, form):
        with self.lock:
            return {"access_token": self.new_session(), "scope": "api"}

    def jwt_bearer(self, form):
        with self.lock:
            return {"access_token": self.new_session(), "scope": "api web"}

    def authorization_code(self, form):
        with self.lock:
            code = self.codes.pop(form.get("code", ""), None)
            if code is None or code["made"] + CODE_LIFE < time.time():
                raise Refused("invalid_grant", "expired authorization code")
            if form.get("redirect_uri") != code["redirect_uri"]:
                raise Refused("redirect_uri_mismatch", "redirect_uri must match configuration")
            self.check_verifier(code["challenge"], form.get("code_verifier"))
            granted = {"access_token": self.new_session(), "scope": code["scope"]}
            if "refresh_token" in code["scope"].split() or "offline_access" in code["scope"].split():
                granted["refresh_token"] = self.new_refresh_token()
            return granted

    @staticmethod
    def check_verifier(challenge, verifier):
        if not challenge:
            return
        if not verifier:
            raise Refused("invalid_grant", "invalid code verifier")
        digest = hashlib.sha256(verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            raise Refused("invalid_request", "invalid code verifier")

    def token_reply(self, granted, host_url, grant):
        issued = "%d" % (time.time() * 1000)
        identity = "%s/id/%s/%s" % (host_url, self.world.org_id, self.world.user_id)
        signature = hmac.new(CLIENT_SECRET.encode(), (identity + issued).encode(), hashlib.sha256).digest()
        reply = {"access_token": granted["access_token"]}
        if "refresh_token" in granted:
            reply["refresh_token"] = granted["refresh_token"]
        reply.update({"signature": base64.b64encode(signature).decode(), "scope": granted.get("scope", SCOPE),
                      "instance_url": host_url, "id": identity, "token_type": "Bearer", "issued_at": issued})
        if grant == JWT_BEARER:
            del reply["signature"], reply["issued_at"]
        return reply

    # the other endpoints

    def revoke(self, form):
        text = form.get("token", "")
        with self.lock:
            if self.sessions.pop(text, 0) != 0:
                return
            token = self.refresh_tokens.get(text)
            if token is None or token.family.revoked:
                raise Refused("unsupported_token_type", "this token type is not supported")
            token.family.revoked = True
            self.sessions.clear()

    def introspect(self, form):
        self.check_client(form, secret_needed=True)
        active = self.session_valid(form.get("token", ""))
        if not active:
            return {"active": False}
        now = int(time.time())
        return {"active": True, "scope": "api", "client_id": CLIENT_ID, "username": self.world.username,
                "sub": "%s" % self.world.user_id, "token_type": "access_token", "exp": now + 7200, "iat": now, "nbf": now}

    def authorize(self, query):
        """The reply to a browser: the question, the redirect with the answer, or a refusal."""
        if query.get("client_id") != CLIENT_ID:
            return page(400, "error=invalid_client_id&error_description=client identifier invalid")
        target = query.get("redirect_uri", "")
        if not self.is_callback(target):
            return page(400, "error=redirect_uri_mismatch&error_description=redirect_uri must match configuration")
        if query.get("response_type") != "code":
            return redirect(target, query, error="unsupported_response_type", error_description="response type not supported")
        if query.get("code_challenge_method", "S256") != "S256":
            return redirect(target, query, error="invalid_request", error_description="code challenge method not supported")
        if not set(query.get("scope", SCOPE).split()) <= refusals.SCOPES:
            return redirect(target, query, error="invalid_scope", error_description="the requested scope is not allowed")
        refused = refusals.at_the_page(self.policies)
        if refused:
            return redirect(target, query, error=refused[0], error_description=refused[1])
        answer = query.get("practice_answer")
        if answer == "deny":
            return redirect(target, query, error="access_denied", error_description="end-user denied authorization")
        if answer == "approve":
            return redirect(target, query, code=self.new_code(query))
        return self.question(query)

    def is_callback(self, target):
        """A registered redirect URI matches to the letter."""
        return target in self.callbacks if self.callbacks else is_loopback(target)

    def new_code(self, query):
        code = "aPrx" + secrets.token_urlsafe(40) + "=="
        with self.lock:
            self.codes[code] = {"redirect_uri": query["redirect_uri"], "challenge": query.get("code_challenge"),
                                "scope": query.get("scope") or SCOPE, "made": time.time()}
        return code

    @staticmethod
    def question(query):
        def link(answer):
            return html.escape("/services/oauth2/authorize?" + urllib.parse.urlencode(dict(query, practice_answer=answer)))
        scopes = "".join("<li>%s</li>" % html.escape(word) for word in query.get("scope", SCOPE).split())
        return Reply(200, "<!DOCTYPE html><html><head><title>Allow Access?</title><style>body{font:16px sans-serif;margin:4em}"
                     "a{padding:.5em 1em;border:1px solid}</style></head><body><h1>Allow access?</h1>"
                     "<p>An app is asking to use the practice org:</p><ul>%s</ul><p><a id=\"approve\" href=\"%s\">Allow</a> "
                     "<a id=\"deny\" href=\"%s\">Deny</a></p></body></html>" % (scopes, link("approve"), link("deny")),
                     content_type="text/html;charset=UTF-8")

    def userinfo(self, host_url):
        world = self.world
        return {"sub": "%s/id/%s/%s" % (host_url, world.org_id, world.user_id), "user_id": world.user_id,
                "organization_id": world.org_id, "preferred_username": world.username, "nickname": "practice",
                "name": "Practice User", "email": world.username, "email_verified": True, "given_name": "Practice",
                "family_name": "User", "zoneinfo": "Europe/London", "photos": {}, "profile": "%s/%s" % (host_url, world.user_id),
                "picture": host_url, "address": {}, "is_salesforce_integration_user": False,
                "urls": rest_urls(host_url), "active": True, "user_type": "STANDARD", "language": "en_US",
                "locale": "en_US", "utcOffset": 0, "updated_at": "2025-07-01T00:00:00Z"}

    def identity(self, host_url):
        world = self.world
        return {"id": "%s/id/%s/%s" % (host_url, world.org_id, world.user_id), "asserted_user": True,
                "user_id": world.user_id, "organization_id": world.org_id, "username": world.username,
                "nick_name": "practice", "display_name": "Practice User", "email": world.username, "email_verified": True,
                "first_name": "Practice", "last_name": "User", "timezone": "Europe/London", "photos": {},
                "urls": rest_urls(host_url), "active": True, "user_type": "STANDARD", "language": "en_US",
                "locale": "en_US", "utcOffset": 0, "last_modified_date": "2025-07-01T00:00:00.000+0000",
                "is_app_installed": True}


def rest_urls(host_url):
    base = host_url + "/services/data/v{version}/"
    return {"rest": base, "sobjects": base + "sobjects/", "search": base + "search/", "query": base + "query/",
            "recent": base + "recent/", "custom_domain": host_url}


def is_loopback(target):
    parts = urllib.parse.urlsplit(target)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


def redirect(target, query, **answer):
    if query.get("state") is not None:
        answer["state"] = query["state"]
    joint = "&" if "?" in target else "?"
    return Reply(302, b"", [("Location", target + joint + urllib.parse.urlencode(answer))], content_type="text/html")


def page(status, text):
    return Reply(status, "<html><body><pre>%s</pre></body></html>" % html.escape(text), content_type="text/html")


def refused_form(refusal):
    """The revoke endpoint refuses in a form, not in JSON."""
    return Reply(refusal.status, urllib.parse.urlencode({"error": refusal.error, "error_description": refusal.description}),
                 content_type="application/x-www-form-urlencoded")


def refused_reply(refusal):
    return Reply(refusal.status, dumps({"error": refusal.error, "error_description": refusal.description}))
