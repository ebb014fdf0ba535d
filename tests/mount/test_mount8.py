# SPDX-License-Identifier: MIT
"""mount(8), fstab and umount(8) with our helper: packaging/try-mount.sh in a mount namespace of its own, where overlays
take what it writes to /etc, /usr/sbin and root's home. And an automount point."""
import json
import os
import pwd
import subprocess
import sys

import pytest

from mounts import ROOT, program

SCRIPT = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$SPARE"
for dir in /etc /usr/sbin "$ROOT_HOME"; do
	name=$(echo "$dir" | tr / _)
	mkdir "$SPARE/$name" "$SPARE/$name/up" "$SPARE/$name/work"
	mount -t overlay overlay -o "lowerdir=$dir,upperdir=$SPARE/$name/up,workdir=$SPARE/$name/work" "$dir"
done || exit 77
ln -sf "$PROGRAM" /usr/sbin/mount.forcefs
ln -sf "$PROGRAM" /usr/sbin/mount.fuse.forcefs
test /sbin/mount.forcefs -ef "$PROGRAM" || exit 77
rm -f /etc/forcefs/forcefs.ini "$ROOT_HOME/.config/forcefs/forcefs.ini"
exec sh "$TRY"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) is root's here")
def test_mount8_and_fstab(tmp_path):
    (tmp_path / "spare").mkdir()
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SPARE": str(tmp_path / "spare"), "PROGRAM": program(),
           "ROOT_HOME": pwd.getpwuid(0).pw_dir, "TRY": os.path.join(ROOT, "packaging", "try-mount.sh"),
           "FORCEFS_PRACTICE_ORG": os.path.join(ROOT, "tests", "practice_org"), "TMPDIR": str(tmp_path)}
    env.update((name, value) for name, value in os.environ.items() if name.endswith("SAN_OPTIONS"))
    done = subprocess.run(["unshare", "--mount", "sh", "-c", SCRIPT], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=110)
    if done.returncode == 77 or "unshare failed" in done.stdout:
        pytest.skip("no overlays here: %s" % done.stdout)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes automount points")
def test_an_automount_point_is_mounted_on_while_somebody_waits_for_it(stage):
    """The kernel lets only the automounter's process group through meanwhile; everybody else waits."""
    home = stage.home(stage.org())
    directory, helper = home.new_dir(), os.path.join(home.folder, "mount.forcefs")
    os.symlink(program(), helper)
    automount = os.path.join(ROOT, "tests", "support", "automount.py")
    namespace = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [helper, "acme", directory, "-o", "rw,x-systemd.automount"]
    done = subprocess.run(namespace + [sys.executable, automount, directory] + command, env=home.env, timeout=110,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("no automount points here")
    outcome = json.loads(done.stdout)
    assert outcome["status"] == 0, done.stderr
    assert "Account" in outcome["seen"]
