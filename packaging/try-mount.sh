#!/bin/sh
# try-mount.sh: with forcefs installed, mounts the practice org through mount(8) and fstab, as root. It writes /etc/fstab,
# /etc/forcefs and root's folders: only for a machine that is thrown away, or a mount namespace with overlays.
set -eu
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
test "$(id -u)" = 0 || fail "not root"
work=$(mktemp -d)
mnt=$work/mnt
mkdir "$mnt"
cp /etc/fstab "$work/fstab" 2>/dev/null || : >"$work/fstab"
had_dir=$(ls -d /etc/forcefs 2>/dev/null || :)
end() {
	umount "$mnt" 2>/dev/null || :
	exec 9>&-
	cp "$work/fstab" /etc/fstab
	rm -f /etc/forcefs/forcefs.ini
	[ -n "$had_dir" ] || rmdir /etc/forcefs
	rm -rf "$work" /root/.local/state/forcefs/try.* /root/.cache/forcefs/try-*
}
trap end EXIT

# The practice org ends when the pipe on its standard input does.
mkfifo "$work/life"
python3 -B "${FORCEFS_PRACTICE_ORG:-/usr/share/forcefs/practice_org}" --port 0 --until-eof <"$work/life" >"$work/hello" 2>"$work/org.log" &
exec 9>"$work/life"
for _ in $(seq 100); do [ -s "$work/hello" ] && break; sleep 0.2; done
value() { jq -r ".$1" "$work/hello"; }
mkdir -p /etc/forcefs
(umask 077; cat >/etc/forcefs/forcefs.ini) <<INI
[try]
login_url = $(value url)
client_id = $(value client_id)
client_secret = $(value client_secret)
refresh_token = $(value refresh_token)
INI

# Called as at boot: no HOME, no PATH to speak of.
env -i /bin/mount -t forcefs try "$mnt" -o rw,_netdev,noauto,nofail,x-systemd.automount,x-systemd.idle-timeout=10min,dev,suid,exec,defaults,comment=x,ttl=5
test -d "$mnt/Account" || fail "mount -t forcefs"
findmnt -n -o FSTYPE "$mnt" | grep -qx fuse.forcefs || fail "findmnt"
touch "$mnt/Account/x.tmp" || fail "rw"
env -i /bin/umount "$mnt"
! findmnt -n "$mnt" || fail "umount"

mount -t fuse.forcefs try "$mnt" -o ro
touch "$mnt/Account/x.tmp" 2>/dev/null && fail "ro"
umount "$mnt"
mount -f -t forcefs try "$mnt" -v >/dev/null
! findmnt -n "$mnt" || fail "mount -f mounted"
mount -s -n -t forcefs try "$mnt" -o quux
umount "$mnt"
mount -t forcefs try "$mnt" -o quux 2>"$work/err" && fail "an unknown option passed"
grep -q quux "$work/err" || fail "it did not name the option: $(cat "$work/err")"

echo "try $mnt forcefs noauto,_netdev,allow_other,uid=65534,gid=65534,umask=077 0 0" >>/etc/fstab
mount "$mnt"
test "$(stat -c '%u %g' "$mnt"/Account)" = "65534 65534" || fail "uid= and gid="
test "$(stat -c %a "$mnt"/Account)" = 700 || fail "umask="
umount "$mnt"
# By an ordinary user: mount(8) then starts the helper as that user.
if [ -n "${SUDO_USER:-}" ]; then
	home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
	[ ! -e "$home/.config/forcefs/forcefs.ini" ] || fail "$SUDO_USER has settings of his own"
	as_user() { setpriv --reuid "$SUDO_USER" --regid "$(id -g "$SUDO_USER")" --init-groups env -i HOME="$home" "$@"; }
	as_user mkdir -p "$home/.config/forcefs" "$home/try"
	install -m 600 -o "$SUDO_USER" /etc/forcefs/forcefs.ini "$home/.config/forcefs/forcefs.ini"
	echo "try $home/try forcefs noauto,user,_netdev 0 0" >>/etc/fstab
	as_user mount "$home/try"
	as_user test -d "$home/try/Account" || fail "user in fstab"
	test "$(as_user stat -c %U "$home/try/Account")" = "$SUDO_USER" || fail "owner of a user's mount"
	test -d "$home/try/Account" 2>/dev/null && fail "root sees a user's mount"
	as_user umount "$home/try"
	rm -r "$home/.config/forcefs" "$home/.cache/forcefs" "$home/.local/state/forcefs"
	rmdir "$home/try"
fi
echo "mount(8), fstab: fine" >&2
