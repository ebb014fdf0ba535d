# SPDX-License-Identifier: MIT
"""A mount under a service manager: what it tells $NOTIFY_SOCKET, and how it ends."""
import os
import signal
import socket

import pytest

from mounts import is_mounted, settings_of


class Manager:
    """The listening end of $NOTIFY_SOCKET."""

    def __init__(self, home, address):
        self.home = home
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(30)

    def message(self):
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def org(stage):
    return stage.org()


@pytest.fixture(params=["path", "abstract"])
def manager(request, stage, org):
    home = stage.home(org)
    name = os.path.join(home.run, "notify")
    name = name if request.param == "path" else "@" + name
    home.more_env["NOTIFY_SOCKET"] = name
    made = Manager(home, name.replace("@", "\0"))
    yield made
    made.socket.close()


def test_ready_is_told_when_the_mount_answers_and_stopping_at_its_end(manager):
    mount = manager.home.mount()
    assert manager.message() == ["READY=1", "STATUS=acme on %s" % mount.dir]
    assert is_mounted(mount.dir) and os.listdir(mount.dir)
    os.kill(mount.pid, signal.SIGTERM)
    assert manager.message() == ["STOPPING=1"]
    assert mount.process.wait(timeout=30) == 0
    assert not is_mounted(mount.dir)


def test_a_mount_that_fails_is_never_ready(manager, org):
    org.revoke()
    with pytest.raises(RuntimeError, match="not mounted"):
        manager.home.mount()
    manager.socket.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.message()


def test_the_commands_that_print_secrets_do_not_speak_for_the_mount(manager, org):
    seen = os.path.join(manager.home.folder, "seen")
    manager.home.write_settings(acme=settings_of(
        org, client_secret=None, client_secret_command="env >%s; echo %s" % (seen, org.client_secret)))
    manager.home.mount()
    with open(seen, encoding="utf-8") as file:
        assert "NOTIFY_SOCKET" not in file.read()
