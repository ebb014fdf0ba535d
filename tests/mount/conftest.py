# SPDX-License-Identifier: MIT
"""Tests on real mounts of the practice org: fixtures, and the promise that nothing is left behind."""
import os
import sys
import threading

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "support"), os.path.dirname(os.path.abspath(__file__))]

pytest.register_assert_rewrite("saving", "clients")

from mounts import Home, kill, why_no_fuse  # noqa: E402
from practice import PracticeOrg  # noqa: E402
from saving import Desk  # noqa: E402

TEST_SECONDS = 120  # then the daemons are killed, so that a test that hangs in a system call gets free


def pytest_collection_modifyitems(items):
    reason = why_no_fuse()
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="no mounts here: %s" % reason))


class Stage:
    """Orgs and homes that end with the test, or with the module."""

    running = []

    def __init__(self, folder):
        self.folder, self.orgs, self.homes = str(folder), [], []
        Stage.running.append(self)

    def org(self, **options):
        org = PracticeOrg(**options)
        self.orgs.append(org)
        return org.start()

    def home(self, org=None, **settings):
        folder = os.path.join(self.folder, "h%d" % len(self.homes))
        os.mkdir(folder, 0o700)
        home = Home(folder, org, **settings)
        self.homes.append(home)
        return home

    def mount(self, org, *options, **more):
        """In a home of its own."""
        return self.home(org).mount(*options, **more)

    def release_hung(self):
        for home in self.homes:
            for mount in home.mounted:
                if mount.running():
                    kill(mount.pid)

    def close(self):
        Stage.running.remove(self)
        complaints = [complaint for home in self.homes for complaint in home.clean_up()]
        for org in self.orgs:
            org.stop()
        if complaints:
            pytest.fail("left behind: " + "; ".join(complaints), pytrace=False)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_stage(tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("module"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def desk(module_stage):
    return Desk(module_stage)


@pytest.fixture
def page(desk):
    return desk.page()


@pytest.fixture(autouse=True)
def watchdog():
    """A process that waits for a mount cannot be interrupted from outside; ending the daemon frees it."""
    timer = threading.Timer(TEST_SECONDS, lambda: [stage.release_hung() for stage in list(Stage.running)])
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()
