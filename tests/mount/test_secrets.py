# SPDX-License-Identifier: MIT
"""No secret and no token in anything that forcefs shows: logs at debug level, process list, errors, status, pages."""
import os
import re
import urllib.parse

import pytest

from clients import read, run
from logins import Login, answer, callback, fake, make_key, request
from mounts import files_below


def text_of(path):
    try:
        return read(path).decode("utf-8", "replace")
    except OSError:
        return ""


def process(pid):
    return {"%s of %d" % (name, pid): text_of("/proc/%d/%s" % (pid, name)) for name in ("cmdline", "environ", "comm")}


def tokens(home):
    """Everything of a token's kind that this home remembers."""
    found = set()
    for path in files_below(home.state):
        found.update(re.findall(r'"(?:access_token|refresh_token|seed|client_secret)": "([^"]+)"', text_of(path)))
    return found


def check(shown, secrets):
    assert secrets and all(secrets)
    for place, text in shown.items():
        for secret in secrets:
            assert secret not in text, "%s is in %s" % (secret, place)
            assert urllib.parse.quote(secret, safe="") not in text, "%s is in %s" % (secret, place)


def everything_about(home, mount, org):
    """What can be seen of a mount after it has worked, failed and recovered."""
    records = org.ids("Account")
    os.listdir(mount.path("Account"))
    org.expire_sessions()
    run("cat", mount.record("Contact", org.ids("Contact")[0]))
    org.faults([{"do": "error", "status": 401, "errorCode": "INVALID_SESSION_ID", "times": 4}])
    run("cat", mount.record("Contact", org.ids("Contact")[1]))
    org.faults([])
    org.token(fail={"error_description": "inactive user", "times": 2})
    org.expire_sessions()
    run("cat", mount.record("Contact", org.ids("Contact")[2]), mount.record("Account", records[0]))
    shown = process(mount.pid)
    shown["log"] = mount.stderr()
    for name in ("status.json", "errors.ndjson", "limits.json"):
        shown[name] = text_of(mount.path(".forcefs", name))
    for words in (["status", mount.dir], ["status", "--json", mount.dir], ["status", "acme"], ["doctor", "acme"],
                  ["doctor", "--json", "acme"], ["why", mount.dir], ["login", "--paste", "acme"]):
        done = home.command(*words)
        shown[" ".join(words)] = done.stdout + done.stderr
    return shown


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials", "jwt_bearer"])
def test_a_mount_shows_no_secret(stage, keys, grant):
    org = stage.org(rotation=True, extra=["--jwt-cert", keys[1]])
    home = stage.home(org, grant=grant, username=org.username, jwt_key_file=keys[0])
    mount = home.mount("log_level=debug", "timeout=5", "cache_dir=memory")
    secrets = {org.client_secret, org.refresh_token} | tokens(home)
    shown = everything_about(home, mount, org)
    key = [line for line in text_of(keys[0]).splitlines() if len(line) == 64]
    check(shown, secrets | tokens(home) | set(key[:3]))
    assert "Bearer" not in shown["log"] and "assertion" not in shown["log"]


def test_the_sf_command_gets_no_secret(stage, monkeypatch):
    org = stage.org()
    home = stage.home(org, grant="sf", client_id=None, client_secret=None, refresh_token=None)
    note, token = os.path.join(home.folder, "seen"), org.log_in()
    answers = '{"status":0,"result":{"accessToken":"%s","instanceUrl":"%s"}}' % (token, org.url)
    env = fake(home, "sf", "tr '\\0' '\\n' < /proc/$$/environ >> %s\necho \"$*\" >> %s\nprintf '%%s' '%s'\n"
               % (note, note, answers))
    monkeypatch.setenv("PATH", env["PATH"])
    mount = home.mount("log_level=debug", "timeout=5", "cache_dir=memory")
    secrets = tokens(home) | {token}
    shown = everything_about(home, mount, org)
    shown["what sf was given"] = text_of(note)
    assert "show-access-token" in shown["what sf was given"]
    check(shown, secrets)


def test_a_log_in_shows_no_secret(stage):
    org = stage.org(rotation=True)
    home = stage.home(org, refresh_token=None, redirect_uri=callback())
    login = Login(home, "-o", "log_level=debug", "--json", "acme")
    shown = process(login.process.pid)
    limits = text_of("/proc/%d/limits" % login.process.pid)
    back = answer(login.url)
    shown["page"] = request(back).body
    status, shown["stdout"], shown["stderr"] = login.end()
    assert status == 0
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    secrets = tokens(home) | {code, org.client_secret}
    check(shown, secrets)
    if os.geteuid() == 0:  # nobody else may look
        assert re.search(r"Max core file size\s+0\s+0", limits)
    done = home.command("logout", "--json", "acme")
    check({"logout": done.stdout + done.stderr}, secrets)
    assert not tokens(home)


def test_a_command_that_fails_tells_its_complaint_and_not_its_output(stage):
    org = stage.org()
    home = stage.home(org, client_secret=None, client_secret_command="echo %s; echo no agent >&2; exit 3" % org.client_secret)
    text = text_of(home.config)
    assert org.client_secret in text
    home.write_text(text.replace("echo %s" % org.client_secret, "cat %s/secret" % home.folder))
    with open(os.path.join(home.folder, "secret"), "w", encoding="ascii") as file:
        file.write(org.client_secret + "\n")
    done = home.command("mount", "acme", home.new_dir())
    assert done.returncode == 1 and "no agent" in done.stderr and "status 3" in done.stderr
    check({"stderr": done.stderr}, {org.client_secret})
