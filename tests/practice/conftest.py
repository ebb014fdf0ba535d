# SPDX-License-Identifier: MIT
"""The practice org, tested as a client sees it: over HTTP, against the recorded replies where they are at hand."""
import os
import sys

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORDED = os.path.join(os.path.dirname(os.path.dirname(TESTS)), "shared", "recorded")
sys.path[:0] = [TESTS, os.path.join(TESTS, "support"), os.path.dirname(os.path.abspath(__file__))]

from api import Api  # noqa: E402
from practice import PracticeOrg  # noqa: E402


@pytest.fixture
def start():
    """start(**options) -> (org, api); every org is ended after the test."""
    running = []

    def starter(**options):
        org = PracticeOrg(**options).start()
        running.append(org)
        return org, Api(org)
    yield starter
    for org in running:
        org.stop()


@pytest.fixture
def org_and_api(start):
    return start()


@pytest.fixture
def org(org_and_api):
    return org_and_api[0]


@pytest.fixture
def api(org_and_api):
    return org_and_api[1]


@pytest.fixture(scope="module")
def shared():
    """One org for the tests of a module that change nothing."""
    with PracticeOrg(records={"Account": 5000}) as org:
        yield Api(org)


@pytest.fixture
def recorded():
    """recorded("errors/404-NOT_FOUND.json") -> its JSON; skips where the recordings are not at hand."""
    import json

    def read(name):
        path = os.path.join(RECORDED, name)
        if not os.path.isdir(RECORDED):
            pytest.skip("no recordings beside the repository")
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    return read
