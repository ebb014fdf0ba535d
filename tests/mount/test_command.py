# SPDX-License-Identifier: MIT
"""The command: what it says when a mount cannot be, and how mounts begin and end."""
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from clients import ids, load, read, run, timed
from mounts import files_below, is_dead, is_mounted, is_running, kill, mounts, processes, program, wait_until

ONE_SENTENCE = re.compile(r"forcefs: [a-z]+: .+\n\Z")


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org()


@pytest.fixture
def home(stage, org):
    return stage.home(org)


def refusal(home, *words, **options):
    """The one line that a failing command says."""
    status = options.pop("status", 1)
    done = home.command(*words, **options)
    assert done.returncode == status and done.stdout == "", (done.returncode, done.stdout, done.stderr)
    if status == 1:
        assert ONE_SENTENCE.match(done.stderr), done.stderr
    assert home.mountpoints() == []
    return done.stderr


def mount_refusal(home, *options, **more):
    words = ["mount"]
    for option in options:
        words += ["-o", option]
    return refusal(home, *(words + [more.pop("org", "acme"), more.pop("dir", None) or home.new_dir()]), **more)


def daemon_of(directory):
    """The process behind a mount in the background."""
    with open(os.path.join(directory, ".forcefs", "status.json"), encoding="utf-8") as file:
        return json.load(file)["pid"]


# plain words

def test_version():
    done = run(program(), "--version")
    assert done.returncode == 0 and re.match(r"forcefs \d+\.\d+", done.stdout)


def test_help_names_every_command_and_every_setting(home):
    told = home.command("help")
    assert told.returncode == 0
    for word in ("mount", "umount", "why", "demo"):
        assert word in told.stdout
        one = home.command("help", word)
        assert one.returncode == 0 and word in one.stdout
    about_mount = home.command("help", "mount").stdout
    for word in ("ttl", "timeout", "api_reserve", "cache_dir", "cache_size", "client_secret_command", "allow"):
        assert word in about_mount


@pytest.mark.parametrize("words", [[], ["mont"], ["mount"], ["mount", "acme"], ["mount", "-z", "acme", "/tmp"], ["umount"],
                                   ["why"], ["demo"], ["help", "nothing"], ["mount", "-o", "no_such=1", "acme", "/tmp"]])
def test_bad_usage_is_status_2_and_points_to_the_help(home, words):
    text = refusal(home, *words, status=2)
    assert "forcefs help" in text or "forcefs" in text and "usage" in text.lower()


# settings files

BAD_FILES = {
    "unknown key": ("[acme]\nclient_id = x\ntll = 60\n", 3, ["tll", "ttl"]),
    "bad number": ("[acme]\nclient_id = x\nttl = soon\n", 3, ["ttl"]),
    "bad choice": ("[acme]\ngrant = password\nclient_id = x\n", 2, ["grant", "refresh_token"]),
    "bad url": ("[acme]\nlogin_url = acme.my.salesforce.com\nclient_id = x\n", 2, ["login_url", "https://"]),
    "plain http": ("[acme]\nlogin_url = http://acme.my.salesforce.com\nclient_id = x\n", 2, ["login_url", "loopback"]),
    "no section": ("client_id = x\n", 1, ["client_id"]),
    "duplicate section": ("[acme]\nclient_id = x\n[acme]\nttl = 5\n", 3, ["acme"]),
    "duplicate key": ("[acme]\nclient_id = x\nclient_id = y\n", 3, ["client_id"]),
    "no pair": ("[acme]\nclient_id = x\nhello\n", 3, []),
    "missing client_id": ("; comment\n[acme]\nttl = 5\n", 2, ["client_id"]),
    "wrong in defaults": ("[defaults]\ncache_size = big\n[acme]\nclient_id = x\n", 2, ["cache_size"]),
    "wrong in another org": ("[other]\nttl = -1\n[acme]\nclient_id = x\n", 2, ["ttl"]),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_settings_file_is_told_with_file_and_line(home, name):
    text, line, words = BAD_FILES[name]
    home.write_text(text)
    told = mount_refusal(home)
    assert "%s:%d" % (home.config, line) in told
    for word in words:
        assert word in told


def test_no_settings_file(home):
    os.unlink(home.config)
    assert home.config in mount_refusal(home)


def test_no_settings_file_anywhere(home):
    env = dict(home.env)
    del env["FORCEFS_CONFIG"]
    told = mount_refusal(home, env=env)
    assert os.path.join(home.folder, "config", "forcefs", "forcefs.ini") in told and "/etc/forcefs/forcefs.ini" in told


def test_the_settings_file_is_found_under_xdg_config_home(home, org):
    folder = os.path.join(home.folder, "config", "forcefs")
    os.makedirs(folder)
    os.rename(home.config, os.path.join(folder, "forcefs.ini"))
    env = dict(home.env)
    del env["FORCEFS_CONFIG"]
    directory = home.new_dir()
    done = home.command("mount", "acme", directory, env=env)
    assert done.returncode == 0, done.stderr
    assert home.command("umount", directory).returncode == 0


def test_an_org_that_is_not_in_the_file(home):
    told = mount_refusal(home, org="amce")
    assert "amce" in told and "acme" in told and home.config in told


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_can_read_is_refused(home, org, mode):
    os.chmod(home.config, mode)
    told = mount_refusal(home)
    assert "chmod 600" in told and home.config in told
    assert org.client_secret not in told and org.refresh_token not in told


def test_without_a_secret_in_it_the_file_may_be_readable(home, org):
    secrets = os.path.join(home.folder, "secrets")
    for name, value in (("one", org.client_secret), ("two", org.refresh_token)):
        with open("%s.%s" % (secrets, name), "w") as file:
            file.write(value + "\n")
    home.write_settings(mode=0o644, acme={
        "login_url": org.url, "client_id": org.client_id, "client_secret_command": "cat '%s.one'" % secrets,
        "refresh_token_command": "cat '%s.two'" % secrets})
    with home.mount() as mount:
        assert os.listdir(mount.path("Account"))


def test_a_secret_command_that_fails_is_told_where_children_are_ignored(home, org):
    """Some programs ignore SIGCHLD and hand that down; what the command had printed is no secret then either."""
    home.write_settings(acme={"login_url": org.url, "client_id": org.client_id,
                              "client_secret_command": "echo hush-hush; echo locked >&2; exit 3"})
    told = mount_refusal(home, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert "status 3: locked" in told and "hush-hush" not in told


def test_a_secret_on_the_command_line_is_refused(home):
    told = refusal(home, "mount", "-o", "client_secret=hush-hush", "acme", home.new_dir(), status=2)
    assert "client_secret" in told and "hush-hush" not in told


# the org refuses

def test_a_wrong_client_secret(stage, org):
    home = stage.home(org, client_secret="wrong")
    told = mount_refusal(home)
    assert "invalid_client" in told and "client_secret" in told


def test_a_dead_refresh_token(stage, org):
    home = stage.home(org, refresh_token="5Aep861deadbeefdeadbeefdeadbeef")
    told = mount_refusal(home)
    assert "invalid_grant" in told and "login" in told and "deadbeef" not in told


def test_an_org_that_cannot_be_reached(stage, org):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        home = stage.home(org, login_url="http://127.0.0.1:%d" % closed.getsockname()[1])
        told, seconds = timed(mount_refusal, home, "timeout=2")
    assert "127.0.0.1" in told and seconds < 4


def test_an_org_that_does_not_answer(stage, org):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        home = stage.home(org, login_url="http://127.0.0.1:%d" % silent.getsockname()[1])
        told, seconds = timed(mount_refusal, home, "timeout=2")
    assert "timeout" in told and seconds < 4


def test_an_org_whose_api_is_switched_off(stage):
    org = stage.org()
    org.faults([{"match": {"kind": "global"}, "do": "error", "status": 403, "errorCode": "API_DISABLED_FOR_ORG",
                 "message": "API is not enabled for this Organization or Partner", "times": -1}])
    assert "API_DISABLED_FOR_ORG" in mount_refusal(stage.home(org))


# the directory

def test_a_mountpoint_that_is_not_there(home):
    directory = os.path.join(home.folder, "nowhere")
    assert "mkdir" in mount_refusal(home, dir=directory) and not os.path.exists(directory)


def test_a_mountpoint_that_is_a_file(home):
    path = os.path.join(home.folder, "file")
    with open(path, "w"):
        pass
    assert "not a directory" in mount_refusal(home, dir=path)


def test_a_mountpoint_that_is_in_use_already(home):
    mount = home.mount()
    done = home.command("mount", "acme", mount.dir)
    assert done.returncode == 1 and "already mounted" in done.stderr and "umount" in done.stderr
    assert os.listdir(mount.path("Account"))


def test_relative_paths_and_strange_names(home):
    name = "a b\tc\\d 'ü"
    os.mkdir(os.path.join(home.folder, name))
    done = home.command("mount", "acme", name, cwd=home.folder)
    assert done.returncode == 0, done.stderr
    assert os.listdir(os.path.join(home.folder, name, "Account"))
    done = home.command("umount", name, cwd=home.folder)
    assert done.returncode == 0, done.stderr


# in the background

def test_mount_returns_when_the_directory_answers_and_umount_when_the_process_is_gone(home):
    directory = home.new_dir()
    done = home.command("mount", "acme", directory)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert is_mounted(directory) and os.listdir(os.path.join(directory, "Account"))
    pid = daemon_of(directory)
    assert os.getsid(pid) == pid and os.readlink("/proc/%d/cwd" % pid) == "/" if os.geteuid() == 0 else True
    done = home.command("umount", directory)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not is_mounted(directory) and not is_running(pid)


def test_options_override_the_file(stage, org):
    home = stage.home(org, ttl="5", allow="update")
    mount = home.mount("ttl=77", "ro,timeout=9", "objects=Acc*\\,Contact\\, User", "hide=*History")
    status = mount.status()
    assert status["ttl_s"] == 77 and status["read_only"] is True
    assert sorted(os.listdir(mount.dir)) == ["Account", "Contact", "User"]
    with pytest.raises(FileNotFoundError):
        os.stat(mount.path("Case"))
    assert os.path.isdir(mount.path("AccountHistory"))


def test_hidden_objects_are_not_listed_but_open(stage, org):
    mount = stage.home(org, hide="*History, Case").mount()
    names = os.listdir(mount.dir)
    assert "Case" not in names and "AccountHistory" not in names and "Account" in names
    assert os.listdir(mount.path("Case"))


def test_an_api_version_can_be_chosen(stage, org):
    mount = stage.mount(org, "api_version=60.0")
    before = org.mark()
    os.listdir(mount.path("Account"))
    assert all("/v60.0/" in call["path"] for call in org.log(since=before) if call["counted"])


def test_umount_of_a_busy_directory_says_who_uses_it(home):
    mount = home.mount()
    user = subprocess.Popen(["sleep", "60"], cwd=mount.path("Account"))
    try:
        done = home.command("umount", mount.dir)
        assert done.returncode == 1
        assert str(user.pid) in done.stderr and "sleep" in done.stderr and "Account" in done.stderr
        assert os.listdir(mount.path("Account"))
        as_json = json.loads(home.command("umount", "--json", mount.dir).stdout)
        assert as_json["unmounted"] is False and [one["pid"] for one in as_json["used_by"]] == [user.pid]
    finally:
        user.kill()
        user.wait()
    assert mount.umount() == 0


def test_two_umounts_at_once(home):
    for _ in range(5):
        directory = home.new_dir()
        assert home.command("mount", "acme", directory).returncode == 0
        both = [subprocess.Popen([program(), "umount", directory], env=home.env, stderr=subprocess.PIPE) for _ in range(2)]
        for one in both:
            told = one.communicate(timeout=30)[1].decode()
            assert one.returncode == 0 or "is not a forcefs mount" in told, told
        assert 0 in [one.returncode for one in both] and not is_mounted(directory)


def test_umount_of_what_is_no_mount(home):
    assert "not a forcefs mount" in refusal(home, "umount", home.folder)


def test_umount_of_a_dead_mount(home):
    directory = home.new_dir()
    assert home.command("mount", "acme", directory).returncode == 0
    kill(daemon_of(directory))
    assert wait_until(lambda: is_dead(directory), 5)
    done = home.command("umount", directory)
    assert done.returncode == 0, done.stderr
    assert not is_mounted(directory)


def test_what_asks_a_dead_mount_says_how_to_go_on(home):
    directory = home.new_dir()
    assert home.command("mount", "acme", directory).returncode == 0
    kill(daemon_of(directory))
    assert wait_until(lambda: is_dead(directory), 5)
    for words in (("why", directory), ("fetch", os.path.join(directory, "Account")), ("status", directory)):
        done = home.command(*words)
        assert done.returncode == 1 and "is gone; forcefs umount %s takes" % directory in done.stderr, done.stderr
    assert home.command("umount", directory).returncode == 0


def test_mount_over_a_dead_mount(home):
    directory = home.new_dir()
    assert home.command("mount", "acme", directory).returncode == 0
    kill(daemon_of(directory))
    assert wait_until(lambda: is_dead(directory), 5)
    done = home.command("mount", "acme", directory)
    assert done.returncode == 0, done.stderr
    assert os.listdir(os.path.join(directory, "Account"))
    assert home.command("umount", directory).returncode == 0


def test_the_mount_is_shown_as_forcefs_with_the_org_as_its_source(home):
    mount = home.mount()
    kind, source = mounts()[mount.dir]
    assert kind == "fuse.forcefs" and source == "acme"


# why

def test_why(home, org):
    mount = home.mount()
    record = org.ids("Contact")[0]
    org.faults([{"match": {"kind": ["collections_read", "retrieve", "composite", "query"]}, "do": "error", "status": 400,
                 "errorCode": "OPERATION_TOO_LARGE", "message": "exceeded 100000 distinct who/what's", "times": -1}])
    try:
        assert run("cat", mount.record("Contact", record)).returncode == 1
    finally:
        org.faults([])
    for path in (mount.record("Contact", record), mount.path("Contact"), mount.dir):
        done = home.command("why", path)
        assert done.returncode == 0 and "OPERATION_TOO_LARGE" in done.stdout and "100000 distinct" in done.stdout
    told = json.loads(home.command("why", "--json", mount.record("Contact", record)).stdout)
    assert told["code"] == "OPERATION_TOO_LARGE" and told["http"] == 400
    relative = home.command("why", record + ".json", cwd=mount.path("Contact"))
    assert "OPERATION_TOO_LARGE" in relative.stdout
    assert "nothing failed" in home.command("why", mount.path("Account")).stdout


def test_why_of_a_path_outside(home):
    assert "mount" in refusal(home, "why", home.folder)


# the demo

def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def test_demo_needs_no_settings_and_leaves_nothing(home):
    os.unlink(home.config)
    directory = home.new_dir()
    done = home.command("demo", directory)
    assert done.returncode == 0, done.stderr
    names = os.listdir(os.path.join(directory, "Account"))
    assert len(names) >= 100 and load(os.path.join(directory, "Account", names[0]))["Id"] + ".json" == names[0]
    daemon = daemon_of(directory)
    children = children_of(daemon)  # the practice org, and the guard where it can do something
    assert len([pid for pid in children if pid in processes("practice_org")]) == 1 and len(children) <= 2
    done = home.command("umount", directory)
    assert done.returncode == 0, done.stderr
    assert not is_running(daemon)
    assert wait_until(lambda: not any(is_running(pid) for pid in children), 5)
    assert [name for folder in (home.state, home.cache, home.tmp, home.run) for name in files_below(folder)] == []


def test_demo_makes_the_directory_and_takes_options(home):
    directory = os.path.join(home.folder, "demo")
    done = home.command("demo", "-o", "ro", "--records", "Account=3", "--records", "Lead=7", "--latency-ms", "5", directory)
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(os.path.join(directory, "Account"))) == 3
    assert len(os.listdir(os.path.join(directory, "Lead"))) == 7
    assert home.command("umount", directory).returncode == 0


def test_the_practice_org_ends_with_a_demo_that_crashes(home):
    directory = home.new_dir()
    assert home.command("demo", directory).returncode == 0
    daemon = daemon_of(directory)
    orgs = children_of(daemon)
    kill(daemon)
    assert wait_until(lambda: not is_running(orgs[0]), 5)
    assert home.command("umount", directory).returncode == 0
    for path in files_below(home.tmp) + files_below(home.run):
        os.unlink(path)  # a crash may leave its private folder


def test_demo_that_is_interrupted_while_it_starts_leaves_nothing(home):
    directory = os.path.join(home.folder, "demo")
    process = subprocess.Popen([program(), "demo", "-f", "--latency-ms", "500", directory], env=home.env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: files_below(home.tmp), 20)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    assert not os.path.exists(directory) and os.listdir(home.tmp) == []


def test_demo_in_the_foreground_ends_with_ctrl_c(home):
    directory = home.new_dir()
    process = subprocess.Popen([program(), "demo", "-f", directory], env=home.env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True)
    try:
        assert wait_until(lambda: is_mounted(directory), 20)
        assert wait_until(lambda: os.path.isdir(os.path.join(directory, "Account")), 5)
        orgs = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=15)
        assert process.returncode == 0 and not is_mounted(directory)
        assert wait_until(lambda: not is_running(orgs[0]), 5)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


# secrets

def test_no_secret_is_shown_anywhere(stage):
    org = stage.org()
    home = stage.home(org)
    mount = home.mount("log_level=debug", "timeout=3")
    os.listdir(mount.path("Account"))
    org.expire_sessions()
    read(mount.record("Contact", org.ids("Contact")[0]))
    org.faults([{"match": {"kind": ["collections_read", "retrieve", "composite"]}, "do": "html", "times": -1}])
    run("cat", mount.record("Contact", org.ids("Contact")[1]))
    org.revoke()
    org.expire_sessions()
    run("cat", mount.record("Contact", org.ids("Contact")[2]))
    tokens = {word for word in home.tokens() if "!" in word or word.startswith("5Aep")}
    assert any("!" in word for word in tokens)
    secrets = {org.client_secret, org.refresh_token} | tokens
    shown = {"standard error": mount.stderr()}
    for name in ("status.json", "errors.ndjson"):
        shown[name] = read(mount.path(".forcefs", name)).decode()
    for name in ("cmdline", "environ"):
        try:
            shown[name] = read("/proc/%d/%s" % (mount.pid, name)).decode("utf-8", "replace")
        except PermissionError:
            pass
    shown["why"] = home.command("why", mount.dir).stdout
    for place, text in shown.items():
        for secret in secrets:
            assert secret not in text, place
    assert "Bearer" not in shown["standard error"]


def test_token_files_are_private(home):
    mount = home.mount()
    os.listdir(mount.path("Account"))
    files = files_below(home.state)
    assert files and all(stat.S_IMODE(os.stat(path).st_mode) == 0o600 for path in files)
    assert not os.path.exists(home.cache) or not [path for path in files_below(home.cache)
                                                  if b"5Aep" in read(path)]


def test_the_daemon_cannot_be_looked_into_and_dumps_no_core(home):
    mount = home.mount()
    limits = read("/proc/%d/limits" % mount.pid).decode() if os.geteuid() == 0 else "Max core file size 0 0"
    assert re.search(r"Max core file size\s+0\s+0", limits)
    assert os.stat("/proc/%d/mem" % mount.pid).st_uid == 0  # not dumpable: root's, whoever runs it


def test_other_users_see_nothing(home):
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    mount = home.mount()
    os.chmod(home.folder, 0o755)
    done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", mount.dir)
    assert done.returncode == 2 and "Permission denied" in done.stderr


def test_another_users_mount_is_told_as_such(home):
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    mount = home.mount()
    os.chmod(home.folder, 0o755)
    for words in (["umount", mount.dir], ["status", mount.dir], ["why", mount.dir], ["fetch", mount.path("Account")]):
        done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program(), *words)
        assert done.returncode == 1 and "another user (number 0)" in done.stderr, done.stderr
    assert is_mounted(mount.dir)


def test_allow_other_lets_them_read(home):
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    mount = home.mount("allow_other")
    parent = home.folder
    while parent != "/" and parent.startswith("/tmp"):
        os.chmod(parent, os.stat(parent).st_mode | 0o011) if os.stat(parent).st_uid == 0 else None
        parent = os.path.dirname(parent)
    done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", mount.path("Account"))
    assert done.returncode == 0 and len(ids(done.stdout.split())) > 100, done.stderr
