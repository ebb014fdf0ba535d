# SPDX-License-Identifier: MIT
"""The grants that need no browser, and what every refusal of a log-in says."""
import json
import os

import pytest

from clients import load, start
from logins import Login, answer, callback, fake, make_key, request
from mounts import processes, wait_until

JWT = {"grant": "jwt_bearer", "client_secret": None, "refresh_token": None}
CREDENTIALS = {"grant": "client_credentials", "refresh_token": None}
BORROWED = {"grant": "sf", "client_id": None, "client_secret": None, "refresh_token": None}


def calls(org, kind, since=None):
    return [call for call in org.log(since=since) if call["kind"] == kind]


def refusal(home, *words, **options):
    """The one line with which login fails."""
    done = home.command("login", *words, "acme", **options)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


# JWT bearer

@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def app_key(keys):
    return make_key(keys)


@pytest.fixture
def jwt_org(stage, app_key):
    return stage.org(records={"Account": 30}, extra=["--jwt-cert", app_key[1]])


@pytest.fixture
def jwt_home(stage, jwt_org, app_key):
    return stage.home(jwt_org, username=jwt_org.username, jwt_key_file=app_key[0], **JWT)


def test_jwt_login_and_mount(jwt_home, jwt_org):
    done = jwt_home.command("login", "--json", "acme")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["username"] == jwt_org.username and told["lasting"] is True
    mount = jwt_home.mount("cache_dir=memory", "ttl=600")
    assert len(calls(jwt_org, "token")) == 1  # the session of the log-in serves
    records = jwt_org.ids("Account")
    jwt_org.expire_sessions()
    assert load(mount.record("Account", records[0]))["Id"] == records[0]
    assert len(calls(jwt_org, "token")) == 2  # signed again


def write_settings(home, org, app_key, **changed):
    settings = {"login_url": org.url, "client_id": org.client_id, "grant": "jwt_bearer", "username": org.username,
                "jwt_key_file": app_key[0]}
    home.write_settings(acme=dict(settings, **changed))


def test_jwt_with_another_key(jwt_home, jwt_org, app_key, keys):
    write_settings(jwt_home, jwt_org, app_key, jwt_key_file=make_key(keys, "other")[0])
    told = refusal(jwt_home)
    assert "invalid assertion" in told and "jwt_key_file" in told and "certificate" in told


def test_jwt_for_another_user_or_app(jwt_home, jwt_org, app_key):
    write_settings(jwt_home, jwt_org, app_key, username="nobody@example.com")
    told = refusal(jwt_home)
    assert "hasn't approved this consumer" in told and "username" in told and "pre-authorized" in told
    write_settings(jwt_home, jwt_org, app_key, client_id="3MVG9other")
    assert "client_id" in refusal(jwt_home)


def test_jwt_at_another_host_is_told(jwt_home, jwt_org, app_key):
    """The same server under another name is another audience."""
    write_settings(jwt_home, jwt_org, app_key, login_url=jwt_org.url.replace("127.0.0.1", "localhost"))
    told = refusal(jwt_home)
    assert "Audience validation failed" in told and "My Domain" in told


@pytest.mark.parametrize("trouble", ["readable", "locked", "no key", "missing", "elliptic"])
def test_jwt_key_files_that_will_not_do(jwt_home, jwt_org, app_key, keys, trouble):
    path = str(keys / trouble)
    words = {"readable": "chmod 600", "locked": "passphrase", "no key": "PEM", "missing": "cannot be read", "elliptic": "RSA"}
    if trouble == "locked":
        path = make_key(keys, "locked", "-passout", "pass:x")[0]
    elif trouble == "elliptic":
        path = make_key(keys, "elliptic", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")[0]
    elif trouble != "missing":
        with open(app_key[0] if trouble == "readable" else app_key[1], encoding="ascii") as source, open(path, "w") as copy:
            copy.write(source.read())
        os.chmod(path, 0o644 if trouble == "readable" else 0o600)
    write_settings(jwt_home, jwt_org, app_key, jwt_key_file=path)
    told = refusal(jwt_home)
    assert words[trouble] in told and "BEGIN PRIVATE KEY-----\n" not in told


def test_a_browser_is_not_for_every_grant(jwt_home):
    assert "jwt_bearer" in refusal(jwt_home, "--paste") or "another grant" in refusal(jwt_home, "--paste")


# client credentials

def test_client_credentials(stage):
    org = stage.org(records={"Account": 30})
    home = stage.home(org, **CREDENTIALS)
    done = home.command("login", "acme")
    assert done.returncode == 0 and org.username in done.stderr
    mount = home.mount("cache_dir=memory")
    org.expire_sessions()
    assert load(mount.record("Account", org.ids("Account")[0]))


# the sf command

SF = r"""
echo "$*" >> "{folder}/sf.log"
case "$*" in
"org auth show-access-token --json -o "*) {show} ;;
"org display --json -o "*) {display} ;;
*) echo '{{"status":2,"name":"CommandNotFound","message":"no such command"}}'; exit 2 ;;
esac
"""


class FakeSf:
    """An sf command whose token lies in a file."""

    def __init__(self, home, org, show="", display="", token=None):
        self.home, self.org = home, org
        self.path = os.path.join(home.folder, "sf.token")
        self.log = os.path.join(home.folder, "sf.log")
        self.renew(token or org.log_in())
        shown = 'printf \'{"status":0,"result":{"accessToken":"%s"},"warnings":[]}\' "$(cat "' + self.path + '")"'
        told = 'printf \'{"status":0,"result":{"id":"%s","accessToken":"%s","instanceUrl":"%s","username":"%s"}}\'' % (
            org.org_id, "[REDACTED] set SF_TEMP_SHOW_SECRETS", org.url, org.username)
        home.sf_env = fake(home, "sf", SF.format(folder=home.folder, show=show or shown, display=display or told))

    def renew(self, token):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(token)

    def runs(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return file.read().splitlines()


@pytest.fixture
def sf_org(stage):
    return stage.org(records={"Account": 30})


@pytest.fixture
def sf_home(stage, sf_org, monkeypatch):
    home = stage.home(sf_org, sf_alias="work", **BORROWED)
    monkeypatch.setenv("PATH", os.path.join(home.folder, "bin") + ":" + os.environ["PATH"])
    return home


def test_sf_login_and_mount(sf_home, sf_org):
    sf = FakeSf(sf_home, sf_org)
    done = sf_home.command("login", "acme")
    assert done.returncode == 0 and sf_org.username in done.stderr
    assert sf.runs() == ["org auth show-access-token --json -o work", "org display --json -o work"]
    mount = sf_home.mount("cache_dir=memory", "ttl=600")
    records = sf_org.ids("Account")
    assert load(mount.record("Account", records[0]))["Id"] == records[0]
    assert len(sf.runs()) == 2  # nothing was turned down
    sf_org.expire_sessions()
    sf.renew(sf_org.log_in())
    assert load(mount.record("Account", records[1]))["Id"] == records[1]
    assert len(sf.runs()) == 4
    assert calls(sf_org, "token") and all(call["status"] == 200 for call in calls(sf_org, "token"))


def test_sf_of_an_older_version(sf_home, sf_org):
    token = sf_org.log_in()
    FakeSf(sf_home, sf_org, show='echo "Warning: org auth is not a sf command" >&2; exit 127',
           display='echo \'{"status":0,"result":{"accessToken":"%s","instanceUrl":"%s"}}\'' % (token, sf_org.url))
    # An exit status of 127 is what a missing program gives too.
    assert "sf command" in refusal(sf_home)
    FakeSf(sf_home, sf_org, show='echo "Warning: org auth is not a sf command" >&2; exit 2',
           display='echo \'{"status":0,"result":{"accessToken":"%s","instanceUrl":"%s"}}\'' % (token, sf_org.url))
    done = sf_home.command("login", "acme")
    assert done.returncode == 0 and sf_org.username in done.stderr, done.stderr


@pytest.mark.parametrize("show, display, words", [
    ("exit 2", "", ["[REDACTED]", "update"]),
    ("exit 1", 'echo \'{"status":1,"name":"NamedOrgNotFoundError","message":"No authorization information found for work."}\''
     "; exit 1", ["NamedOrgNotFoundError", "No authorization", "sf org login web"]),
    ("", 'echo \'{"status":0,"result":{"instanceUrl":"https://example.com"}}\'', ["instanceUrl", "not used"]),
    ("", "echo oops; exit 1", ["sf org login web"]),
])
def test_sf_that_gives_no_session(sf_home, sf_org, show, display, words):
    FakeSf(sf_home, sf_org, show=show, display=display)
    told = refusal(sf_home)
    assert all(word in told for word in words), told


def test_sf_is_not_installed(stage, sf_org):
    home = stage.home(sf_org, **BORROWED)
    empty = os.path.join(home.folder, "empty")
    os.mkdir(empty)
    told = refusal(home, env=dict(home.env, PATH=empty))
    assert "PATH" in told and "install" in told


def test_a_dead_sf_is_not_run_for_every_file(sf_home, sf_org):
    sf = FakeSf(sf_home, sf_org)
    mount = sf_home.mount("cache_dir=memory")
    sf_org.expire_sessions()
    FakeSf(sf_home, sf_org, show="exit 1", display="exit 1")
    before = len(sf.runs())
    for record in sf_org.ids("Account")[:4]:
        with pytest.raises(PermissionError):
            load(mount.record("Account", record))
    assert len(sf.runs()) == before + 2


def test_an_sf_that_lends_a_dead_session_is_not_run_for_every_file(sf_home, sf_org):
    sf = FakeSf(sf_home, sf_org)
    mount = sf_home.mount("cache_dir=memory")
    sf_org.expire_sessions()
    records = sf_org.ids("Account")
    for record in records[:5]:
        with pytest.raises(PermissionError):
            load(mount.record("Account", record))
    assert len(sf.runs()) <= 2 + 3 * 2
    assert "sf org login web" in sf_home.command("why", mount.dir).stdout


def test_one_run_of_sf_serves_every_process(sf_home, sf_org):
    sf = FakeSf(sf_home, sf_org)
    mounts = [sf_home.mount("cache_dir=memory", "ttl=600") for _ in range(3)]
    assert len(sf.runs()) == 2
    sf_org.expire_sessions()
    sf.renew(sf_org.log_in())
    records = sf_org.ids("Account")
    cats = [start("cat", mount.record("Account", record)) for mount in mounts for record in records[:4]]
    assert [cat.communicate(timeout=60) and cat.returncode for cat in cats] == [0] * len(cats)
    assert len(sf.runs()) == 4


def test_an_sf_that_hangs_is_ended_with_all_that_it_started(sf_home, sf_org):
    FakeSf(sf_home, sf_org)
    mount = sf_home.mount("cache_dir=memory", "timeout=2")
    sf_org.expire_sessions()
    word = "86399.%d" % os.getpid()
    FakeSf(sf_home, sf_org, show="sleep %s; true" % word)
    with pytest.raises(OSError):
        load(mount.record("Account", sf_org.ids("Account")[0]))
    assert wait_until(lambda: not processes(word)), processes(word)


def test_logout_leaves_the_sf_command_its_session(sf_home, sf_org):
    FakeSf(sf_home, sf_org)
    assert sf_home.command("login", "acme").returncode == 0
    done = sf_home.command("logout", "--json", "acme")
    assert done.returncode == 0 and json.loads(done.stdout) ["revoked"] is False
    mount = sf_home.mount("cache_dir=memory")
    assert "Account" in os.listdir(mount.dir)


# refusals: policy, grant, what must be said

REFUSALS = [
    ("inactive_user", CREDENTIALS, ["inactive user", "locked or frozen", "activate"]),
    ("inactive_organization", CREDENTIALS, ["inactive organization", "deleted", "login_url"]),
    ("ip_restricted", CREDENTIALS, ["ip restricted", "network address", "IP restrictions"]),
    ("not_admin_approved", CREDENTIALS, ["invalid_app_access", "may not use the app", "permission set"]),
    ("generic_host", CREDENTIALS, ["not supported on this domain", "My Domain"]),
    ("external_app_on_generic_host", CREDENTIALS, ["app_not_found", "My Domain"]),
    ("no_run_as_user", CREDENTIALS, ["no client credentials user", "Run As"]),
    ("login_rate", CREDENTIALS, ["login rate exceeded", "wait"]),
    ("grant_off", CREDENTIALS, ["unsupported_grant_type", "enable the flow"]),
    ("login_denied", {}, ["authentication failure", "login_url", "log-in history"]),
    ("not_approved", {}, ["hasn't approved this consumer", "forcefs login acme"]),
]


@pytest.mark.parametrize("policy, settings, words", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_every_refusal_has_its_own_sentence(stage, policy, settings, words):
    org = stage.org(extra=["--policy", policy])
    home = stage.home(org, **settings)
    done = home.command("mount", "acme", home.new_dir())
    assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr
    assert org.refresh_token not in done.stderr and org.client_secret not in done.stderr


@pytest.mark.parametrize("error, description, words", [
    ("invalid_grant", "expired access/refresh token", ["expired", "another program", "forcefs login acme"]),
    ("invalid_grant", "expired authorization code", ["used before", "forcefs login acme"]),
    ("invalid_grant", "authentication failure - Invalid Password", ["may not log in here"]),
    ("invalid_grant", "user is not admin approved to access this app", ["permission set"]),
    ("invalid_grant", "something new", ["something new", "forcefs login acme"]),
    ("invalid_client_id", "client identifier invalid", ["client_id", "ten minutes"]),
    ("invalid_client", "invalid client credentials", ["client_secret"]),
    ("rate_limit_exceeded", "", ["too many log-ins"]),
    ("invalid_scope", "", ["scopes api and refresh_token"]),
    ("redirect_uri_mismatch", "redirect_uri must match configuration", ["redirect_uri", "callback"]),
    ("not_known_here", "odd", ["not_known_here", "odd"]),
])
def test_refusals_in_other_words(module_org, stage, error, description, words):
    home = stage.home(module_org)
    module_org.token(fail={"error": error, "error_description": description, "times": 1})
    done = home.command("mount", "acme", home.new_dir())
    assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr


@pytest.fixture(scope="module")
def module_org(module_stage):
    return module_stage.org()


def test_a_user_who_had_not_approved_yet_logs_in(stage):
    """What the sentence of not_approved asks for works."""
    org = stage.org(extra=["--policy", "not_approved"])
    home = stage.home(org, redirect_uri=callback())
    login = Login(home, "acme")
    request(answer(login.url))
    status, _, told = login.end()
    assert status == 0, told
    org.token(policies=[])
    assert home.mount().status()
