# SPDX-License-Identifier: MIT
"""forcefs doctor: the right line for everything that can be wrong, and what depends on it is skipped."""
import json
import os
import shutil
import subprocess

import pytest

from mounts import settings_of, program

CHECKS = ["FUSE", "settings file", "permissions", "settings", "secrets", "host", "connection", "log-in", "API version",
          "API", "objects", "cache folder"]


def examine(home, **options):
    """(exit status, {check: (state, text)})"""
    done = home.command("doctor", "--json", "acme", **options)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert [check["check"] for check in answer["checks"]] == CHECKS and answer["ok"] == (done.returncode == 0)
    return done.returncode, {check["check"]: (check["state"], check["text"]) for check in answer["checks"]}


def failed(home, name, *words, **options):
    """That check alone failed, its line has these words, and those after it were skipped."""
    status, found = examine(home, **options)
    assert status == 1 and [check for check in CHECKS if found[check][0] == "failed"] == [name], found
    for word in words:
        assert word in found[name][1], found[name]
    return [check for check in CHECKS if found[check][0] == "skipped"]


def after(name):
    """The checks that stand on this one."""
    return CHECKS[CHECKS.index(name) + 1:-1]


def test_all_is_well(stage):
    org = stage.org(quota=1000)
    home = stage.home(org)
    before = org.mark()
    status, found = examine(home)
    assert status == 0 and {state for state, _ in found.values()} == {"ok"}, found
    assert org.counts(before)["counted"] == 2
    assert org.user_id in found["log-in"][1] and org.username in found["log-in"][1] and "999 of the day's 1,000" in found["API"][1]
    text = home.command("doctor", "acme").stdout
    assert len(text.splitlines()) == len(CHECKS) + 1 and text.endswith("acme can be mounted.\n")
    assert not any(token in text for token in home.tokens())
    assert os.listdir(home.cache) == [], "it makes nothing"


def test_no_fuse_device(stage):
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("only root can take the device away")
    home = stage.home(stage.org())
    script = 'mount --bind /dev/null /dev/fuse && exec "$0" doctor --json acme'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, program()], env=home.env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    found = {check["check"]: check for check in json.loads(done.stdout.decode())["checks"]}
    assert done.returncode == 1 and found["FUSE"]["state"] == "failed" and "modprobe fuse" in found["FUSE"]["text"]
    assert found["API"]["state"] == "ok", "the rest is looked at all the same"


def test_settings_file(stage):
    org = stage.org()
    home = stage.home(org)
    everything = after("settings file") + ["cache folder"]
    os.remove(home.config)
    assert failed(home, "settings file", "FORCEFS_CONFIG", home.config) == everything
    os.mkdir(home.config)  # nobody can read a folder as a file, not even root
    assert set(failed(home, "settings", home.config)) == set(after("settings") + ["cache folder"])
    os.rmdir(home.config)
    home.write_settings(acme=settings_of(org))
    os.chmod(home.config, 0)
    if os.geteuid():
        assert failed(home, "settings file", "Permission denied", "chmod u+r") == everything


def test_wrong_permissions(stage):
    home = stage.home(stage.org())
    os.chmod(home.config, 0o644)
    assert failed(home, "permissions", "is a secret, and other users can read this file", "chmod 600 " + home.config) == \
        after("permissions") + ["cache folder"]


def test_a_file_without_secrets_may_be_read(stage):
    org = stage.org()
    home = stage.home()
    home.write_settings(acme=settings_of(org, client_secret=None, refresh_token=None, refresh_token_command="echo %s"
                                         % org.refresh_token, client_secret_command="echo %s" % org.client_secret))
    os.chmod(home.config, 0o644)
    status, found = examine(home)
    assert status == 0 and "holds no secret" in found["permissions"][1] and "work" in found["secrets"][1]


def test_settings(stage):
    org = stage.org()
    home = stage.home()
    home.write_text("[acme]\nclient_idd = x\n")
    assert failed(home, "settings", "forcefs.ini:2", "did you mean client_id?") == after("settings") + ["cache folder"]
    home.write_settings(acne=settings_of(org))
    failed(home, "settings", "did you mean acne?")
    home.write_settings(acme=settings_of(org, client_id=None))
    assert failed(home, "settings", "has no client_id") == after("settings")
    home.write_settings(acme=settings_of(org, refresh_token=None, refresh_token_command="echo no >&2; false"))
    assert failed(home, "secrets", "refresh_token_command") == after("secrets")


def test_a_host_that_is_not_there(stage):
    home = stage.home()
    home.write_settings(acme=dict(settings_of(stage.org()), login_url="https://acme.invalid"))
    assert failed(home, "host", "acme.invalid cannot be found", "check login_url") == after("host")


def test_a_host_that_does_not_answer(stage):
    org = stage.org()
    home = stage.home(org)
    org.stop()
    assert failed(home, "connection", "cannot be reached") == after("connection")


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    names = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", names[1], "-out", names[0]],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return names


def test_a_certificate_that_is_not_trusted(stage, certificate):
    org = stage.org(tls=certificate)
    home = stage.home(org)
    assert failed(home, "connection", "certificate", "cannot be trusted", "`ca_file`") == after("connection")
    home.write_settings(acme=settings_of(org, ca_file=certificate[0]))
    status, found = examine(home)
    assert status == 0 and "TLS works" in found["connection"][1]


def test_an_expired_refresh_token(stage):
    org = stage.org()
    home = stage.home(org)
    org.control("revoke", {})
    assert failed(home, "log-in", "invalid_grant", "forcefs login acme") == after("log-in")


def test_a_dead_session_is_found_out_too(stage):
    """The stored session looks good until it is used."""
    org = stage.org()
    home = stage.home(org)
    assert examine(home)[0] == 0
    org.control("revoke", {})
    assert failed(home, "log-in", "invalid_grant", "forcefs login acme") == after("log-in")


def test_a_grant_that_is_refused(stage):
    org = stage.org()
    home = stage.home(org, client_secret="wrong")
    assert failed(home, "log-in", "invalid_client", "client_secret") == after("log-in")


def test_an_api_version_that_the_org_does_not_know(stage):
    home = stage.home(stage.org(), api_version="999.0")
    assert failed(home, "API version", "does not know API version 999.0", "remove api_version") == after("API version")


def test_api_disabled(stage):
    fault = {"match": {"kind": ["limits", "global"]}, "times": -1, "do": "error", "status": 403,
             "errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled for this Organization or Partner"}
    home = stage.home(stage.org(faults=[fault]))
    assert failed(home, "API", "API_DISABLED_FOR_ORG", "profile lacks the API") == after("API")


def test_a_spent_budget_is_a_warning(stage):
    home = stage.home(stage.org(quota=1000, used=900))
    status, found = examine(home)
    assert found["API"][0] == "warning" and "api_reserve" in found["API"][1]


def test_no_object_access(stage):
    nothing = {"match": {"kind": "global"}, "times": -1, "do": "status", "status": 200, "content_type": "application/json",
               "body": '{"encoding":"UTF-8","maxBatchSize":200,"sobjects":[]}'}
    home = stage.home(stage.org(faults=[nothing]))
    assert failed(home, "objects", "shows no object to this user", "administrator") == []
    home = stage.home(stage.org(), objects="Nothing__c")
    assert failed(home, "objects", "the settings objects and hide") == []
    home = stage.home(stage.org(), objects="Account, Contactt, *__c")
    status, found = examine(home)
    assert status == 0 and found["objects"][0] == "warning" and "Contactt" in found["objects"][1]


def test_a_cache_folder_that_cannot_be_written(stage):
    org = stage.org()
    home = stage.home(org, cache_dir="/proc/forcefs/cache")
    assert failed(home, "cache folder", "cannot be written", "cache_dir") == []
    home.write_settings(acme=settings_of(org, cache_dir=home.config))
    failed(home, "cache folder", "Not a directory")
    open_to_all = home.new_dir()
    os.chmod(open_to_all, 0o777)
    home.write_settings(acme=settings_of(org, cache_dir=open_to_all))
    failed(home, "cache folder", "everyone can write", "chmod 700")
    home.write_settings(acme=settings_of(org, cache_dir="memory"))
    assert "in memory" in examine(home)[1]["cache folder"][1]
    home.write_settings(acme=settings_of(org, cache_size="1024T"))
    assert examine(home)[1]["cache folder"][0] == "warning"


def test_usage(stage):
    home = stage.home(stage.org())
    assert home.command("doctor").returncode == 2
    assert home.command("doctor", "a", "b").returncode == 2
    assert home.command("doctor", "--quux", "acme").returncode == 2
