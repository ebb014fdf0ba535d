#!/bin/sh
# source.sh [DIR]: writes forcefs-VERSION.tar.gz into DIR (build/source) and prints its path. It holds
# the files that git knows, or where there is no git, all but what a build leaves behind.
set -eu
out=${1:-$(dirname "$0")/../build/source}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."

version=$(sed -n 's/^project(forcefs VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
day=$(sed -n 's/^## .*(\(.*\))$/\1/p' packaging/CHANGELOG.md | head -n 1)
list=$(mktemp)
trap 'rm -f "$list"' EXIT
if ! git ls-files >"$list" 2>/dev/null || ! [ -s "$list" ]; then
	find . \( -name .git -o -name '.?*cache' -o -name __pycache__ -o -path './build*' \) -prune -o \
		\( -type f -o -type l \) -print >"$list"
fi
# The same tree gives the same bytes.
LC_ALL=C sort "$list" | tar -T - --transform "s|^\(\./\)*|forcefs-$version/|S" --mtime "$day 00:00 UTC" \
	--owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -cf - | gzip -9n >"$out/forcefs-$version.tar.gz"
echo "$out/forcefs-$version.tar.gz"
