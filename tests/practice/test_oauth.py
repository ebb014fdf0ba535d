# SPDX-License-Identifier: MIT
import base64
import hashlib
import json
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

CALLBACK = "http://localhost:1717/OauthRedirect"


def test_refresh_gives_a_session_and_no_refresh_token(api):
    reply = api.token_request()
    assert reply.status == 200
    granted = reply.json
    assert set(granted) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
    assert granted["token_type"] == "Bearer" and granted["instance_url"] == api.org.url
    assert granted["id"] == "%s/id/%s/%s" % (api.org.url, api.org.org_id, api.org.user_id)
    assert isinstance(granted["issued_at"], str) and abs(int(granted["issued_at"]) / 1000 - time.time()) < 60
    assert granted["access_token"].startswith(api.org.org_id[:15] + "!")


def test_reply_has_the_recorded_keys(api, recorded):
    assert set(recorded("oauth/openstax-token-jwt-or-password.json")) <= set(api.token_request().json)


@pytest.mark.parametrize("changed, error", [
    ({"client_id": "x"}, "invalid_client_id"),
    ({"client_secret": "wrong"}, "invalid_client"),
    ({"refresh_token": "gone"}, "invalid_grant"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}, "invalid_grant"),
])
def test_refusals(api, changed, error):
    reply = api.token_request(**changed)
    assert reply.status == 400 and reply.json["error"] == error and reply.json["error_description"]


def test_expired_refresh_token_says_so_as_recorded(org, api, recorded):
    org.revoke()
    assert api.token_request().json["error_description"] == "expired access/refresh token"
    assert api.token_request().json == recorded("oauth/400-invalid_grant-expired-restforce.json")


def test_rotation_replaces_and_reuse_revokes_the_family(start):
    org, api = start(rotation=True)
    first, second = org.refresh_token, api.token_request().json["refresh_token"]
    assert first != second  # log_in of the fixture had rotated already
    third = api.token_request(refresh_token=second).json["refresh_token"]
    assert api.token_request(refresh_token=second).json["error_description"] == "expired access/refresh token"
    assert api.token_request(refresh_token=third).status == 400


def test_two_at_once_with_one_token(org, api):
    org.token(hold_ms=400)
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(api.token_request())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, 400]
    refused = next(reply for reply in replies if reply.status == 400)
    assert refused.json == {"error": "invalid_grant", "error_description": "token request is already being processed"}


def test_failures_to_order(org, api):
    org.token(fail={"error_description": "inactive user", "times": 2})
    assert [api.token_request().status for _ in range(3)] == [400, 400, 200]


def test_sessions_end(org, api):
    org.expire_sessions()
    reply = api.get("/limits")
    assert reply.status == 401 and reply.code == "INVALID_SESSION_ID" and reply.headers["WWW-Authenticate"]
    assert "Sforce-Limit-Info" not in reply.headers
    api.token = org.log_in()
    assert api.get("/limits").status == 200


def test_session_refusal_as_recorded(api, recorded):
    api.token = "x"
    assert api.get("/limits").json == recorded("errors/401-INVALID_SESSION_ID.json")


def authorize(api, **query):
    query = dict({"response_type": "code", "client_id": api.org.client_id, "redirect_uri": CALLBACK, "state": "s t"}, **query)
    return api.call("GET", "/services/oauth2/authorize?" + urllib.parse.urlencode(query), token=False)


def code_of(reply):
    assert reply.status == 302
    answer = urllib.parse.parse_qs(urllib.parse.urlsplit(reply.headers["Location"]).query)
    assert answer["state"] == ["s t"]
    return answer["code"][0]


def test_web_server_flow_with_pkce(api):
    verifier = "v" * 60
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    question = authorize(api, code_challenge=challenge)
    assert question.status == 200 and b'id="approve"' in question.body and b'id="deny"' in question.body
    answered = authorize(api, code_challenge=challenge, practice_answer="approve")
    assert "%3D%3D" in answered.headers["Location"]
    code = code_of(answered)
    form = dict(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, refresh_token=None, client_secret=None)
    granted = api.token_request(code_verifier=verifier, **form)
    assert granted.status == 200 and granted.json["refresh_token"]
    again = api.token_request(code_verifier=verifier, **form)
    assert again.json["error_description"] == "expired authorization code"


@pytest.mark.parametrize("verifier, error", [(None, "invalid_grant"), ("w" * 60, "invalid_request")])
def test_wrong_verifier(api, verifier, error):
    code = code_of(authorize(api, code_challenge="c" * 43, practice_answer="approve"))
    reply = api.token_request(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)
    assert reply.json["error"] == error


def test_denial_comes_back_in_the_redirect(api):
    assert "error=access_denied" in authorize(api, practice_answer="deny").headers["Location"]


def test_registered_callback_matches_to_the_letter(start):
    org, api = start(extra=["--callback", CALLBACK])
    assert authorize(api).status == 200
    assert authorize(api, redirect_uri="http://localhost:1718/OauthRedirect").status == 400


def test_revoke_ends_session_and_refresh_token(api):
    assert api.form("/services/oauth2/revoke", token=api.org.refresh_token).status == 200
    assert api.token_request().json["error"] == "invalid_grant"
    assert api.get("/limits").status == 401


def test_client_credentials_give_no_refresh_token(api):
    granted = api.token_request(grant_type="client_credentials", refresh_token=None).json
    assert "refresh_token" not in granted
    api.token = granted["access_token"]
    assert api.get("/limits").status == 200


def test_userinfo_and_identity(api, recorded):
    info = api.call("GET", "/services/oauth2/userinfo").json
    assert info["user_id"] == api.org.user_id and info["organization_id"] == api.org.org_id
    identity = api.call("GET", "/id/%s/%s" % (api.org.org_id, api.org.user_id)).json
    assert identity["username"] == api.org.username
    told = set(recorded("oauth/restforce-db-2015-identity.json"))
    assert set(identity) <= told


def test_revoking_what_is_unknown_is_refused_in_a_form(api):
    reply = api.form("/services/oauth2/revoke", token="gone")
    assert reply.status == 400 and reply.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"error=unsupported_token_type" in reply.body


def test_client_credentials_in_a_basic_header(api):
    pair = base64.b64encode(("%s:%s" % (api.org.client_id, api.org.client_secret)).encode()).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic " + pair}
    reply = api.call("POST", "/services/oauth2/token", "grant_type=client_credentials", headers)
    assert reply.status == 200 and reply.json["access_token"]
    headers["Authorization"] = "Basic " + base64.b64encode(b"x:y").decode()
    assert api.call("POST", "/services/oauth2/token", "grant_type=client_credentials", headers).status == 400


def test_policies_refuse(org, api):
    for policy, error in (("inactive_user", "invalid_grant"), ("not_admin_approved", "invalid_app_access")):
        org.token(policies=[policy])
        assert api.token_request().json["error"] == error
    org.token(policies=["no_run_as_user"])
    assert api.token_request().status == 200
    assert api.token_request(grant_type="client_credentials").json["error_description"] == "no client credentials user enabled"
    org.token(policies=["app_blocked"])
    assert "error=OAUTH_APP_BLOCKED" in authorize(api).headers["Location"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """{"good", "certificate", "other"}: paths of PEM files."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    paths = {name: str(folder / name) for name in ("good", "certificate", "other")}
    for words in (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", paths["good"],
                   "-out", paths["certificate"]], ["genrsa", "-out", paths["other"], "2048"]):
        subprocess.run(["openssl"] + words, check=True, stderr=subprocess.DEVNULL)
    return paths


def signed(key, **claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    text = "%s.%s" % (part(b'{"alg":"RS256"}'), part(json.dumps(claims).encode()))
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), stdout=subprocess.PIPE,
                               check=True).stdout
    return "%s.%s" % (text, part(signature))


def test_jwt_bearer(start, keys):
    org, api = start(extra=["--jwt-cert", keys["certificate"]])

    def ask(key="good", **changed):
        claims = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": int(time.time()) + 120}
        reply = api.form("/services/oauth2/token", grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
                         assertion=signed(keys[key], **dict(claims, **changed)))
        return reply.json.get("error_description", reply.json)
    granted = ask()
    assert set(granted) == {"access_token", "scope", "instance_url", "id", "token_type"}
    api.token = granted["access_token"]
    assert api.get("/limits").status == 200
    assert "access_token" in ask(aud="https://login.salesforce.com")
    assert ask("other") == "invalid assertion"
    assert ask(aud="https://example.com") == "Audience validation failed"
    assert ask(exp=int(time.time()) - 300) == ask(exp=int(time.time()) + 3600) == "expired authorization code"
    assert ask(sub="nobody@example.com") == "user hasn't approved this consumer"
    assert ask(iss="x") == "client identifier invalid"


def test_introspection_knows_the_living_from_the_dead(org, api):
    ask = dict(client_id=org.client_id, client_secret=org.client_secret, token=api.token)
    assert api.form("/services/oauth2/introspect", **ask).json["active"] is True
    org.expire_sessions()
    assert api.form("/services/oauth2/introspect", **ask).json == {"active": False}
