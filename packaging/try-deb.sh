#!/bin/sh
# try-deb.sh: builds the Debian package, installs it, mounts with it in every way, upgrades and purges it, and
# fails if anything is left. It changes the machine: only for one that is thrown away, as root or with sudo.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
say() { printf '== %s\n' "$*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
work=$(mktemp -d)

say "building"
log=$work/build.log
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck} sh "$top/packaging/deb.sh" "$work/deb" >"$log" 2>&1 || { tail -n 50 "$log"; fail build; }
deb=$(ls "$work"/deb/forcefs_*.deb)
root chmod 755 "$work" "$work/deb"

say "installing $(basename "$deb"), and what the recipes use"
export DEBIAN_FRONTEND=noninteractive
root apt-get install -y -qq "$deb" >"$log" 2>&1 || { cat "$log"; fail install; }
root apt-get purge -y -qq forcefs >"$log" 2>&1 || { cat "$log"; fail "first purge"; }
root apt-get install -y -qq --no-install-recommends jq git rsync diffutils man-db bash-completion >"$log" 2>&1 || fail tools
# Everything on the disk but what a package manager and its log write, and people's own folders.
everything() {
	root find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /home -o -path /root -o -path /run -o \
		-path "$work" -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt \) -prune -o -print | sort
}
everything >"$work/before"
root apt-get install -y -qq "$deb" >"$log" 2>&1 || { cat "$log"; fail install; }

say "using it: $(forcefs --version)"
man -w forcefs forcefs.ini forcefs-tree mount.forcefs mount.fuse.forcefs >/dev/null
test -L /usr/sbin/mount.forcefs
! find /usr/share/forcefs -name '*.pyc' | grep . || fail "bytecode in the package"
forcefs demo ~/acme >/dev/null
forcefs demo ~/acme-test >/dev/null
test -d ~/acme/Account
git config --global user.name >/dev/null || { git config --global user.name Ann && git config --global user.email ann@example.com; }
python3 - "$top/README.md" "$work" <<'PYTHON'
import re, sys
part = open(sys.argv[1], encoding="utf-8").read().split("\n## Recipes\n")[1].split("\n## ")[0]
for number, block in enumerate(re.findall(r"```sh\n(.*?)```", part, re.DOTALL)):
    open("%s/recipe-%d" % (sys.argv[2], number), "w", encoding="utf-8").write(block)
PYTHON
for recipe in "$work"/recipe-*; do
	status=0
	bash -eu "$recipe" >"$recipe.out" 2>"$recipe.err" || status=$?
	# diff says 1 for "they differ".
	[ "$status" = 0 ] || { grep -q '^diff' "$recipe" && [ "$status" = 1 ]; } || { cat "$recipe" "$recipe.err"; fail recipe; }
	say "recipe ran, $(wc -l <"$recipe.out") lines: $(head -n 1 "$recipe")"
done
forcefs umount ~/acme-test

say "mount(8), fstab"
root sh "$top/packaging/try-mount.sh"

say "upgrading under a live mount"
dpkg-deb -R "$deb" "$work/new"
sed -i 's/^Version: .*/&+1/' "$work/new/DEBIAN/control"
dpkg-deb -b --root-owner-group "$work/new" "$work/deb/new.deb" >/dev/null
root apt-get install -y -qq "$work/deb/new.deb" >"$log" 2>&1 || { cat "$log"; fail upgrade; }
test -d ~/acme/Account
forcefs umount ~/acme
forcefs demo ~/acme >/dev/null
forcefs umount ~/acme

say "purging"
root apt-get purge -y -qq forcefs >"$log" 2>&1 || { cat "$log"; fail purge; }
everything >"$work/after"
diff "$work/before" "$work/after" >&2 || fail "purging left something"
! pgrep -x forcefs >/dev/null 2>&1 || fail "a process is left"
rm -rf "$work"
say "all fine"
