#!/bin/sh
# deb.sh [--check] [DIR]: builds the Debian package with dpkg-buildpackage from a clean copy of the tree;
# the results go to DIR (build/deb). --check holds them against lintian and hardening-check, too.
# DEB_BUILD_OPTIONS=nocheck leaves the tests out.
set -eu
check=
[ "${1:-}" = --check ] && { check=yes; shift; }
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/deb}
mkdir -p "$out"
out=$(cd "$out" && pwd)

sh "$top/packaging/need.sh" deb
[ -z "$check" ] || sh "$top/packaging/need.sh" debcheck
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$(sh "$top/packaging/source.sh" "$work")" -C "$work"
rm "$work"/*.tar.gz
cd "$work"/forcefs-*
cp -R packaging/debian debian

# The changelog's newest section, as Debian writes it.
maintainer=$(sed -n 's/^Maintainer: //p' debian/control)
version=$(sed -n 's/^## \([0-9.]*\) (.*/\1/p' packaging/CHANGELOG.md | head -n 1)
day=$(sed -n 's/^## .*(\(.*\))$/\1/p' packaging/CHANGELOG.md | head -n 1)
{
	printf 'forcefs (%s) unstable; urgency=medium\n\n' "$version"
	awk '/^## / { section++; next } section == 1 && /^- / { sub(/^- /, "  * "); print; next }
		section == 1 && /^  [^ ]/ { print "  " $0 }' packaging/CHANGELOG.md
	printf '\n -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "$day")"
} >debian/changelog

dpkg-buildpackage -us -uc
cd ..
cp forcefs_* forcefs-dbgsym_* "$out"/

if [ -n "$check" ]; then
	echo "lintian:" >&2
	lintian --no-cfg --info --fail-on error,warning "$out"/forcefs_"$version"_*.changes
	dpkg-deb -x "$out"/forcefs_"$version"_*.deb "$work/root"
	# The C runtime of Debian 12 itself is not built for control flow integrity.
	hardening-check --nocfprotection "$work/root/usr/bin/forcefs"
fi
ls "$out"/forcefs_"$version"_*.deb
