# SPDX-License-Identifier: MIT
"""SIGHUP reads log_level and ttl again and ends nothing; log lines as JSON."""
import json
import os
import pty
import signal
import subprocess

from mounts import MOUNTED, is_mounted, program, settings_of, wait_until


def hang_up(mount, *words):
    """Sends SIGHUP and waits for the line that says what came of it."""
    start = len(mount.stderr().encode())
    os.kill(mount.pid, signal.SIGHUP)
    assert wait_until(lambda: any(word in mount.stderr(start) for word in words)), mount.stderr(start)
    return mount.stderr(start)


def test_ttl_and_log_level_are_read_again(stage):
    org = stage.org()
    home = stage.home(org, ttl=600)
    mount = home.mount()
    home.write_settings(acme=settings_of(org, ttl=7, log_level="debug"))
    assert "ttl 7 s" in hang_up(mount, "settings read again")
    assert wait_until(lambda: mount.status()["ttl_s"] == 7)
    before = org.mark()
    os.listdir(mount.path("Account"))
    assert org.counts(before)["by_kind"].get("query") == 1, "it goes on serving"


def test_what_was_given_with_o_stays(stage):
    org = stage.org()
    home = stage.home(org, ttl=600)
    mount = home.mount("ttl=11")
    home.write_settings(acme=settings_of(org, ttl=7))
    assert "ttl 11 s" in hang_up(mount, "settings read again")


def test_a_broken_file_changes_nothing(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=11")
    mount.excuse("the settings stay as they were")
    mount.home.write_text("[acme]\nttl = soon\n")
    assert "forcefs.ini:2" in hang_up(mount, "stay as they were")
    mount.home.write_settings(other=settings_of(org))
    assert 'no org "acme"' in hang_up(mount, "stay as they were")
    assert mount.running() and mount.status()["ttl_s"] == 11


def test_a_relative_settings_file_is_found_again(stage):
    """In the background the working directory is another one."""
    org = stage.org()
    home = stage.home(org, ttl=600)
    folder = home.new_dir()
    done = home.command("mount", "acme", folder, cwd=home.folder, env=dict(home.env, FORCEFS_CONFIG="forcefs.ini"))
    assert done.returncode == 0, done.stderr

    def status():
        with open(os.path.join(folder, ".forcefs", "status.json"), encoding="utf-8") as file:
            return json.load(file)
    home.write_settings(acme=settings_of(org, ttl=8))
    os.kill(status()["pid"], signal.SIGHUP)
    assert wait_until(lambda: status()["ttl_s"] == 8)
    assert home.command("umount", folder).returncode == 0


def test_a_closed_terminal_still_ends_a_foreground_mount(stage):
    """There SIGHUP means that nobody is left to press Ctrl-C."""
    home = stage.home(stage.org())
    folder = home.new_dir()
    pid, master = pty.fork()
    if pid == 0:
        os.execve(program(), [program(), "mount", "-f", "acme", folder], home.env)
    text = b""
    while MOUNTED.encode() not in text:
        text += os.read(master, 4096)
    os.close(master)
    assert wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)
    assert not is_mounted(folder)


def test_log_lines_as_json(stage):
    org = stage.org()
    home = stage.home(org, log_level="debug")
    mount = home.mount("log_format=json")
    try:
        os.listdir(mount.path("ContentDocumentLink"))
    except PermissionError:
        pass
    mount.umount()
    lines = [json.loads(line) for line in mount.stderr().splitlines()]
    assert [line["level"] for line in lines] == ["info", "warn", "info"]
    assert all(set(line) == {"time", "level", "module", "pid", "text"} for line in lines)
    assert MOUNTED in lines[0]["text"] and "ContentDocumentLink" in lines[1]["text"]


def test_a_failure_to_mount_is_json_too(stage):
    org = stage.org()
    home = stage.home(org, refresh_token="wrong")
    done = subprocess.run([program(), "mount", "-f", "--log-format", "json", "acme", home.new_dir()], env=home.env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1
    line = json.loads(done.stderr.decode())
    assert line["level"] == "error" and "invalid_grant" in line["text"]
