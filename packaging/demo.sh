#!/bin/sh
# demo.sh [DIR]: builds forcefs, mounts the practice org (no account needed) on DIR and shows a
# short session. DIR defaults to ~/forcefs-demo and stays mounted: look around, then
# `build/release/src/app/forcefs umount DIR`.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-$HOME/forcefs-demo}

sh packaging/need.sh demo
echo "Building forcefs" >&2
log=$(mktemp)
if ! { cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release; } >"$log" 2>&1; then
	cat "$log" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"
forcefs=$PWD/build/release/src/app/forcefs

"$forcefs" demo "$dir"

show() {
	printf '\n$ %s\n' "$*"
	sh -c "$*"
}
show "ls $dir"
show "ls -l $dir/Account | head -4"
first=$(ls "$dir/Account" | head -1)
show "jq '{Name, Industry, BillingCity}' $dir/Account/$first"
show "grep -rl '\"BillingCountry\": \"Japan\"' $dir/Account | head -3"
show "sed -i 's/\"Industry\": .*/\"Industry\": \"Energy\",/' $dir/Account/$first"
show "grep -E '\"(Industry|LastModifiedDate)\"' $dir/Account/$first"
show "sed -i 's/\"CreatedDate\": .*/\"CreatedDate\": \"yesterday\",/' $dir/Account/$first || true"
show "$forcefs why $dir/Account/$first"
show "jq .api $dir/.forcefs/status.json"
printf '\nThe practice org stays mounted on %s. To end it: %s umount %s\n' "$dir" "$forcefs" "$dir"
