#!/bin/sh
# need.sh build|demo|test|deb|debcheck: installs what is missing with the system's package manager.
# Asks for sudo only if something is missing. Debian and Ubuntu; elsewhere it names what is needed.
set -eu

build="gcc cmake ninja-build pkg-config libc6-dev libfuse3-dev libcurl4-openssl-dev libjansson-dev libsqlite3-dev libinih-dev libssl-dev libmicrohttpd-dev"
demo="$build fuse3 python3 ca-certificates jq"
test="$demo libcmocka-dev python3-pytest ripgrep rsync less attr acl procps patch perl vim nano ed emacs-nox tmux moreutils openssl git mandoc zsh fish"
deb="$build build-essential dpkg-dev debhelper libcmocka-dev python3 python3-pytest"
debcheck="lintian devscripts mandoc"

case ${1:-} in
build) packages=$build ;;
demo) packages=$demo ;;
test) packages=$test ;;
deb) packages=$deb ;;
debcheck) packages=$debcheck ;;
*) echo "usage: need.sh build|demo|test|deb|debcheck" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "need.sh: no apt here; please install what these Debian packages hold: $packages" >&2
	exit 0
fi

as_root=
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
	as_root=sudo
fi

# fusermount3 reads it; a system that was only unpacked and never booted lacks it.
if [ ! -e /etc/mtab ] && [ ! -L /etc/mtab ]; then
	$as_root ln -s ../proc/self/mounts /etc/mtab || echo "need.sh: without /etc/mtab, only root can unmount" >&2
fi

missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || [ -n "$as_root" ] || { echo "need.sh: please install as root:$missing" >&2; exit 1; }
echo "Installing:$missing" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
