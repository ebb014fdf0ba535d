# SPDX-License-Identifier: MIT
"""The link is cut for a while (LINK_CUT_SECONDS, 6 if not set): what is cached is served, the rest recovers by itself."""
import os
import subprocess
import sys

import pytest

from clients import ENV, need

SCENE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "link_cut.py")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a network namespace")
def test_a_link_that_is_cut_and_comes_back(tmp_path):
    need("ip")
    need("unshare")
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no network namespaces here")
    done = subprocess.run(["unshare", "-n", sys.executable, SCENE, str(tmp_path / "home"),
                           os.environ.get("LINK_CUT_SECONDS", "6")], env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stdout
