# SPDX-License-Identifier: MIT
"""mount(8), fstab and umount(8) with our helper: packaging/try-mount.sh in a mount namespace of its own, where overlays
take what it writes to /etc, /usr/sbin and root's home."""
import os
import pwd
import subprocess

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
