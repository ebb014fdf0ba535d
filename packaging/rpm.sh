#!/bin/sh
# rpm.sh [DIR]: builds the RPM packages with rpmbuild from a clean copy of the tree; the results go to DIR
# (build/rpm). What it needs is named by the spec: dnf builddep packaging/rpm/forcefs.spec
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/rpm}
mkdir -p "$out"
out=$(cd "$out" && pwd)
command -v rpmbuild >/dev/null || { echo "rpm.sh: please install rpmbuild (Fedora: rpm-build, Debian: rpm)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$top/packaging/source.sh" "$work/SOURCES" >/dev/null
# Where the system's packages are not RPMs, the database does not know what is installed.
known=--nodeps
rpm -q rpm >/dev/null 2>&1 && known=
# shellcheck disable=SC2086
rpmbuild $known -ba --define "_topdir $work" "$top/packaging/rpm/forcefs.spec"
find "$work/RPMS" "$work/SRPMS" -name '*.rpm' -exec cp {} "$out"/ \;
ls "$out"/*.rpm
