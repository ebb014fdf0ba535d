# SPDX-License-Identifier: MIT
"""The completions, driven: what bash, zsh and fish offer after a line."""
import os
import pty
import select
import shutil
import signal
import subprocess
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PAGES = os.environ["PAGES"]
PROGRAM = os.environ["FORCEFS"]
SETTINGS = "; comment\n[defaults]\nttl = 5\n[acme]\nclient_id = [x]\n [acme-test] ; the sandbox\n"


def need(shell):
    if not shutil.which(shell):
        pytest.skip("%s is not installed" % shell)


@pytest.fixture(params=["bash", "fish"])
def offers(request, tmp_path):
    """A function: line -> the words offered at its end."""
    need(request.param)
    config = tmp_path / "forcefs.ini"
    config.write_text(SETTINGS)
    for name in ("bin", "home", "folder/one"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "folder" / "file.pem").touch()
    (tmp_path / "bin" / "forcefs").symlink_to(PROGRAM)
    env = {"PATH": "%s:%s" % (tmp_path / "bin", os.environ["PATH"]), "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8",
           "FORCEFS_CONFIG": str(config)}

    def offered(line):
        if request.param == "bash":
            words = ["bash", os.path.join(HERE, "complete.bash"), os.path.join(PAGES, "forcefs.bash"), line]
        else:
            words = ["fish", "--no-config", "-c", "source %s; complete -C %s" % (
                quoted(os.path.join(PAGES, "forcefs.fish")), quoted(line))]
        done = subprocess.run(words, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return sorted(set(word.split("\t")[0].strip() for word in done.stdout.splitlines()))
    offered.shell = request.param
    return offered


def quoted(text):
    return "'%s'" % text.replace("\\", "\\\\").replace("'", "\\'")


def last(words):
    """bash is given only what follows the last = or :, as it wants it."""
    return sorted(word.rpartition("=")[2] if not word.endswith("=") else word for word in words)


def test_commands(offers):
    found = offers("forcefs ")
    assert {"mount", "umount", "why", "demo", "help"} <= set(found)
    assert offers("forcefs umo") == ["umount"]
    assert "umount" in offers("forcefs help u")


def test_orgs_and_directories(offers):
    assert offers("forcefs mount ") == ["acme", "acme-test"]
    assert offers("forcefs mount -f -o ro acme-") == ["acme-test"]
    assert [word.rstrip("/") for word in offers("forcefs mount acme fol")] == ["folder"]
    assert "folder" in [word.rstrip("/") for word in offers("forcefs fetch folder/one fol")]
    assert "folder/one" in [word.rstrip("/") for word in offers("forcefs mount acme folder/")]


def test_a_name_is_not_run_as_a_command(offers, tmp_path):
    (tmp_path / "forcefs.ini").write_text(SETTINGS + "[$(touch${IFS}ran)]\n[`touch${IFS}ran`]\n")
    for line in ("forcefs mount ", "forcefs status ", "forcefs status ac"):
        assert "acme" in offers(line)
    assert not (tmp_path / "ran").exists()


def test_options_of_a_command(offers):
    assert {"--json", "--help"} <= set(offers("forcefs umount --"))
    assert {"--records", "--latency-ms"} <= set(offers("forcefs demo --"))
    assert "--records" not in offers("forcefs mount --")


def test_keys_and_values_after_o(offers):
    keys = offers("forcefs mount -o ")
    assert {"ro", "allow_other", "uid=", "ttl=", "objects="} <= set(keys)
    assert not [key for key in keys if key.startswith(("client_secret=", "refresh_token="))]
    assert "api_reserve=" in offers("forcefs mount -o ro,api_r")[0]
    assert last(offers("forcefs mount -o ro,grant=jw")) == ["jwt_bearer"]
    assert last(offers("forcefs mount -o api_reserve=5%,log_level=d")) == ["debug"]


def mounted():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return set(line.split()[4] for line in file if " - fuse.forcefs " in line)


def test_mounts_are_offered_to_umount(offers):
    before = mounted()
    offered = set(offers("forcefs umount "))
    assert before & mounted() <= offered


class Terminal:
    """zsh on a terminal: only there its completion runs."""

    def __init__(self, env, cwd):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(cwd)
            os.execvpe("zsh", ["zsh", "-f", "-i"], dict(env, TERM="dumb", PS1="> "))
        self.pid = pid

    def say(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, word, seconds=60):
        seen, end = "", time.monotonic() + seconds
        while word not in seen:
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], "%r not in %r" % (word, seen)
            seen += os.read(self.fd, 65536).decode("utf-8", "replace")
        return seen

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def test_zsh_completes_commands_orgs_options_and_keys(tmp_path):
    need("zsh")
    (tmp_path / "forcefs.ini").write_text(SETTINGS)
    shell = Terminal({"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
                      "FORCEFS_CONFIG": str(tmp_path / "forcefs.ini")}, tmp_path)
    try:
        shell.say("fpath=(%s $fpath); autoload -Uz compinit; compinit -u -d dump; print READ''Y\n" % PAGES)
        shell.wait_for("READY")
        for typed, whole in (("forcefs umo", "umount"), ("forcefs mount acme-", "acme-test"), ("forcefs demo --rec", "--records"),
                             ("forcefs mount -o ro,gra", "ro,grant="), ("forcefs mount -o ro,grant=jw", "grant=jwt_bearer")):
            shell.say(typed + "\t")
            shell.wait_for(whole)
            shell.say("\x15")
    finally:
        shell.close()


@pytest.mark.parametrize("shell, name", [("bash", "forcefs.bash"), ("zsh", "_forcefs"), ("fish", "forcefs.fish")])
def test_the_shell_itself_parses_it(shell, name):
    need(shell)
    done = subprocess.run([shell, "-n", os.path.join(PAGES, name)], stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
