# SPDX-License-Identifier: MIT
"""Logging in and out: with a browser that follows links, by pasting, by an SFDX auth URL."""
import json
import os
import signal
import socket
import subprocess
import urllib.parse

import pytest

from clients import load
from logins import Login, answer, callback, fake, request
from mounts import files_below, mode_of, program, wait_until


@pytest.fixture
def org(stage):
    return stage.org(records={"Account": 20})


@pytest.fixture
def home(stage, org):
    """Settings as the README has them: an app without a secret, and no token."""
    return stage.home(org, client_secret=None, refresh_token=None, redirect_uri=callback())


def token_file(home):
    return os.path.join(home.state, "forcefs", "acme.token")


def stored(home):
    with open(token_file(home), encoding="utf-8") as file:
        return json.load(file)


def redirect_uri(login):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(login.url).query)["redirect_uri"][0]


# the browser

def test_browser_login_then_mount(home, org):
    login = Login(home, "acme")
    page = request(answer(login.url))
    status, out, told = login.end()
    assert (status, out) == (0, ""), told
    assert org.username in told and org.url in told and "forcefs mount acme" in told
    assert page.status == 200 and "logged in" in page.text and org.username in page.text
    assert mode_of(token_file(home)) == 0o600
    mount = home.mount()
    assert "Account" in os.listdir(mount.dir)
    assert len(os.listdir(mount.path("Account"))) == 20


def test_the_page_needs_nothing_from_elsewhere_and_tells_no_secret(home):
    login = Login(home, "acme")
    back = answer(login.url)
    page = request(back)
    assert login.end()[0] == 0
    secrets = [stored(home)["access_token"], stored(home)["refresh_token"],
               urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]]
    assert not any(secret in page.body for secret in secrets)
    assert "<script" not in page.body and "src=" not in page.body and "url(" not in page.body
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"


def test_what_is_asked_of_the_log_in_page(home, org):
    login = Login(home, "-o", "scope=api refresh_token openid", "acme")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(login.url).query))
    assert login.url.startswith(org.url + "/services/oauth2/authorize?")
    assert asked["response_type"] == "code" and asked["client_id"] == org.client_id
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert asked["scope"] == "api refresh_token openid" and len(asked["state"]) >= 32
    request(answer(login.url))
    assert login.end()[0] == 0


def test_denied_in_the_browser(home):
    login = Login(home, "--json", "acme")
    page = request(answer(login.url, "deny"))
    status, out, told = login.end()
    assert status == 1 and "access_denied" in told and "denied in the browser" in told
    assert "did not work" in page.text and "denied" in page.text
    assert json.loads(out)["logged_in"] is False and json.loads(out)["code"] == "access_denied"
    assert not os.path.exists(token_file(home))


@pytest.mark.parametrize("policy, words", [("app_blocked", ["OAUTH_APP_BLOCKED", "blocks the app"]),
                                           ("app_uninstalled", ["OAUTH_APPROVAL_ERROR_GENERIC", "not installed"])])
def test_an_org_that_does_not_let_the_app_in(home, org, policy, words):
    org.token(policies=[policy])
    login = Login(home, "acme")
    page = request(login.url)
    assert page.status == 302
    assert "did not work" in request(page.headers["Location"]).text
    status, _, told = login.end()
    assert status == 1 and all(word in told for word in words), told


def test_a_code_that_the_org_refuses(home, org):
    login = Login(home, "acme")
    org.token(fail={"error_description": "inactive user", "times": 1})
    page = request(answer(login.url))
    status, _, told = login.end()
    assert status == 1 and "inactive user" in told and "activate the user" in page.text


def test_everybody_else_is_turned_away(home):
    login = Login(home, "acme")
    here = redirect_uri(login)
    root = here.rsplit("/", 1)[0]
    back = answer(login.url)
    assert request(root + "/favicon.ico").status == 404
    assert request(root + "/").status == 404
    assert request(here, method="POST", body="code=x").status == 405
    assert request(here, method="HEAD").status == 405
    assert request(here).status == 400
    stranger = request(here + "?code=aPrx&state=another")
    assert stranger.status == 400 and "another log-in" in stranger.text
    assert request(back.replace("code=", "cod=")).status == 400
    assert request(back).status == 200
    status, _, told = login.end()
    assert status == 0 and "turned away" in told


def test_a_browser_may_ask_ahead(home, org):
    login = Login(home, "acme")
    here = redirect_uri(login)

    def ask(origin):
        return request(here, method="OPTIONS", Origin=origin, Access_Control_Request_Method="GET",
                       Access_Control_Request_Private_Network="true")
    for origin in (org.url, "https://acme.my.salesforce.com"):
        page = ask(origin)
        assert page.status == 204 and page.headers["Access-Control-Allow-Origin"] == origin
        assert page.headers["Access-Control-Allow-Private-Network"] == "true"
    for origin in ("https://example.com", "https://salesforce.com.example.com", "null"):
        assert ask(origin).headers["Access-Control-Allow-Origin"] is None
    request(answer(login.url))
    assert login.end()[0] == 0


def test_a_busy_port(stage, org):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        home = stage.home(org, refresh_token=None, redirect_uri=callback(port))
        done = home.command("login", "acme")
    assert done.returncode == 1 and str(port) in done.stderr and "--paste" in done.stderr and "redirect_uri" in done.stderr


def test_a_redirect_uri_that_nobody_can_listen_on(stage, org):
    home = stage.home(org, refresh_token=None, redirect_uri="https://acme.example.com/back")
    done = home.command("login", "acme")
    assert done.returncode == 1 and "--paste" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_giving_up(home, number):
    login = Login(home, "acme")
    login.process.send_signal(number)
    status, _, told = login.end()
    assert status == 1 and "interrupted" in told
    assert not os.path.exists(token_file(home))
    again = Login(home, "acme")  # the port is free
    request(answer(again.url))
    assert again.end()[0] == 0


def test_the_browser_is_opened(home):
    note = os.path.join(home.folder, "opened")
    env = fake(home, "xdg-open", 'printf %%s "$1" > "%s.part" && mv "%s.part" "%s"\n' % (note, note, note))
    login = Login(home, "acme", env=env)
    assert wait_until(lambda: os.path.exists(note))
    with open(note, encoding="utf-8") as file:
        assert file.read() == login.url
    request(answer(login.url))
    assert login.end()[0] == 0


def test_an_app_that_gives_no_refresh_token(home):
    login = Login(home, "--json", "-o", "scope=api", "acme")
    request(answer(login.url))
    status, out, told = login.end()
    assert status == 0 and json.loads(out)["lasting"] is False and "refresh_token" in told


def test_a_new_log_in_mends_a_running_mount(stage, org):
    """The token of the settings is dead; the log-in goes before it."""
    home = stage.home(org, redirect_uri=callback())
    mount = home.mount("cache_dir=memory", "ttl=600")
    records = org.ids("Account")
    assert load(mount.record("Account", records[0]))["Id"] == records[0]
    org.revoke()
    with pytest.raises(PermissionError):
        load(mount.record("Account", records[1]))
    login = Login(home, "acme")
    request(answer(login.url))
    assert login.end()[0] == 0
    assert load(mount.record("Account", records[2]))["Id"] == records[2]
    mount.remount()
    assert load(mount.record("Account", records[3]))["Id"] == records[3]


# pasting

def paste(home, *words):
    return Login(home, "--paste", *words, stdin=subprocess.PIPE)


@pytest.mark.parametrize("what", ["address", "encoded code", "plain code", "query"])
def test_paste(home, org, what):
    login = paste(home, "acme")
    back = answer(login.url)
    query = urllib.parse.urlsplit(back).query
    code = [pair for pair in query.split("&") if pair.startswith("code=")][0][len("code="):]
    assert code.endswith("%3D%3D")
    login.say({"address": back, "encoded code": code, "plain code": urllib.parse.unquote(code), "query": query}[what])
    status, _, told = login.end()
    assert status == 0 and org.username in told
    assert home.mount().status()


def test_pasting_the_wrong_thing_is_asked_again(home):
    login = paste(home, "acme")
    back = answer(login.url)
    login.say("https://example.com/")
    login.say(back.replace("state=", "state=x"))
    login.say("  '%s'  " % back)
    status, _, told = login.end()
    assert status == 0 and "another log-in" in told and "whole address" in told


def test_pasting_a_refusal_or_nothing(home):
    login = paste(home, "acme")
    login.say(answer(login.url, "deny"))
    status, _, told = login.end()
    assert status == 1 and "access_denied" in told
    login = paste(home, "acme")
    login.process.stdin.close()
    login.process.stdin = None
    status, _, told = login.end()
    assert status == 1 and "nothing was pasted" in told


def test_a_code_is_good_once(home):
    login = paste(home, "acme")
    back = answer(login.url)
    login.say(back)
    assert login.end()[0] == 0
    kept = stored(home)
    again = paste(home, "acme")
    again.say(urllib.parse.unquote(urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]))
    status, _, told = again.end()
    assert status == 1 and "used before" in told and "forcefs login acme" in told
    assert stored(home) == kept


# SFDX auth URLs

def sfdx(org, secret=True):
    return "force://%s:%s:%s@%s" % (org.client_id, org.client_secret if secret else "", org.refresh_token,
                                    urllib.parse.urlsplit(org.url).netloc)


def write(home, text):
    path = os.path.join(home.folder, "sfdx.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


@pytest.mark.parametrize("shape", ["plain", "top", "result"])
@pytest.mark.parametrize("settings", ["empty", "full"])
def test_sfdx_url(stage, shape, settings):
    org = stage.org(rotation=True, records={"Account": 5})
    home = stage.home(org, refresh_token=None)
    if settings == "empty":
        home.write_settings(acme={"ttl": "60"})
    url = sfdx(org, secret=shape != "plain")
    text = {"plain": url + "\n", "top": json.dumps({"sfdxAuthUrl": url}),
            "result": json.dumps({"status": 0, "result": {"sfdxAuthUrl": url, "id": "x"}, "warnings": []})}[shape]
    done = home.command("login", "acme", "--sfdx-url", write(home, text))
    assert done.returncode == 0 and org.username in done.stderr, done.stderr
    mount = home.mount("cache_dir=memory")
    assert len(os.listdir(mount.path("Account"))) == 5
    org.expire_sessions()
    assert load(mount.record("Account", org.ids("Account")[0]))
    assert home.command("logout", "acme").returncode == 0


def test_the_file_of_an_sfdx_login_is_told_if_it_cannot_be_used(home, org):
    home.write_settings(acme={})
    assert home.command("login", "acme", "--sfdx-url", write(home, sfdx(org))).returncode == 0
    os.chmod(token_file(home), 0o640)
    assert "chmod 600" in home.command("mount", "acme", home.new_dir()).stderr
    os.chmod(token_file(home), 0o600)
    with open(token_file(home), "w", encoding="ascii") as file:
        file.write("{")
    told = home.command("mount", "acme", home.new_dir()).stderr
    assert token_file(home) in told and "remove it" in told
    os.unlink(token_file(home))
    told = home.command("mount", "acme", home.new_dir()).stderr
    assert "no client_id" in told and home.config + ":1" in told


def test_sfdx_url_on_stdin(home, org):
    done = subprocess.run([program(), "login", "--json",
                           "--sfdx-url", "-", "acme"], env=home.env, input=sfdx(org), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=30)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["logged_in"] and told["lasting"] and told["username"] == org.username


@pytest.mark.parametrize("text, word", [("[REDACTED] Use \"sf org auth\"", "show-sfdx-auth-url"), ("", "force://"),
                                        ("force://a:b@host", "force://"), ("force://a:b:c@ho st", "force://"),
                                        ('{"result": {}}', "sfdxAuthUrl"), ("force://other::5Aep@127.0.0.1:1", "client_id = other")])
def test_sfdx_urls_that_are_none(home, text, word):
    done = home.command("login", "acme", "--sfdx-url", write(home, text))
    assert done.returncode == 1 and word in done.stderr and "5Aep" not in done.stderr
    assert not os.path.exists(token_file(home))


def test_a_file_that_others_can_read_is_told(home, org):
    path = write(home, sfdx(org))
    os.chmod(path, 0o644)
    done = home.command("login", "acme", "--sfdx-url", path)
    assert done.returncode == 0 and "other users can read" in done.stderr


# out

def test_logout_revokes_and_forgets(home, org):
    login = Login(home, "acme")
    request(answer(login.url))
    assert login.end()[0] == 0
    token = stored(home)["refresh_token"]
    done = home.command("logout", "--json", "acme")
    assert done.returncode == 0 and json.loads(done.stdout)["revoked"] is True
    assert not os.path.exists(token_file(home))
    assert not any(token in open(path, encoding="utf-8").read() for path in files_below(home.state))
    form = {"grant_type": "refresh_token", "client_id": org.client_id, "refresh_token": token}
    refused = request(org.url + "/services/oauth2/token", "POST", urllib.parse.urlencode(form))
    assert refused.status == 400 and "expired access/refresh token" in refused.body
    again = home.command("logout", "acme")
    assert again.returncode == 0 and "no log-in" in again.stderr
    mount = home.command("mount", "acme", home.new_dir())
    assert mount.returncode == 1 and "forcefs login acme" in mount.stderr


def test_logout_of_a_log_in_that_is_dead_already(home, org):
    login = Login(home, "acme")
    request(answer(login.url))
    assert login.end()[0] == 0
    org.revoke()
    done = home.command("logout", "--json", "acme")
    assert done.returncode == 0 and json.loads(done.stdout)["revoked"] is True and not os.path.exists(token_file(home))


def test_logout_forgets_though_the_org_is_out_of_reach(home, org):
    login = Login(home, "acme")
    request(answer(login.url))
    assert login.end()[0] == 0
    org.stop()
    done = home.command("logout", "--json", "acme")
    assert done.returncode == 1 and json.loads(done.stdout)["revoked"] is False and "forgotten here" in done.stderr
    assert not os.path.exists(token_file(home))


def test_logout_revokes_the_token_of_the_settings_too(stage, org):
    home = stage.home(org)
    done = home.command("logout", "acme")
    assert done.returncode == 0 and "remove that line" in done.stderr
    assert "forcefs login acme" in home.command("mount", "acme", home.new_dir()).stderr


def test_a_token_file_that_others_can_read_is_refused(home):
    login = Login(home, "acme")
    request(answer(login.url))
    assert login.end()[0] == 0
    os.chmod(token_file(home), 0o644)
    done = home.command("mount", "acme", home.new_dir())
    assert done.returncode == 1 and "chmod 600" in done.stderr and token_file(home) in done.stderr


# bad usage

@pytest.mark.parametrize("words", [["login"], ["logout"], ["login", "--paste", "--sfdx-url", "x", "acme"], ["login", "--what", "acme"],
                                   ["login", "--sfdx-url"], ["logout", "a", "b"]])
def test_bad_usage(home, words):
    done = home.command(*words)
    assert done.returncode == 2 and "forcefs help log" in done.stderr
