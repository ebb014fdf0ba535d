# SPDX-License-Identifier: MIT
"""Every tool that changes a file makes one update of one field, and nothing else."""
import errno
import mmap
import os
import shutil
import subprocess

import pytest

from clients import ENV, load, need, read, run

NEW = {"Phone": "+1 (555) 0123"}
SED = r's|"Phone": .*|"Phone": "+1 (555) 0123",|'


def sh(line, page, **changes):
    """A shell line about $R, the record's file, $N, one outside with the new text, and $D, the record's directory."""
    env = dict(ENV, R=page.path, N=page.outside("new.json", **(changes or NEW)), D=page.dir, F=SED,
               TMPDIR=page.mount.home.tmp)
    return subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env, stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=page.mount.home.folder)


# name: (line, what it leaves beside the record, without the directory and the record's name in front)
LINES = {
    "sed -i": ('sed -i "$F" "$R"', ""),
    "sed -i, in the directory": ('cd "$D" && sed -i "$F" "${R##*/}"', ""),
    "sed -i.bak": ('sed -i.bak "$F" "$R"', ".bak"),
    "sed -i --follow-symlinks": ('ln -s "$R" link && sed -i --follow-symlinks "$F" link; x=$?; rm -f link; exit $x', ""),
    "perl -i": ('perl -i -pe "$F" "$R"', ""),
    "perl -i.bak": ('perl -i.bak -pe "$F" "$R"', ".bak"),
    "jq and mv": ('jq \'.Phone = "+1 (555) 0123"\' "$R" >t && mv t "$R"', ""),
    "jq and mv, in the directory": ('cd "$D" && jq \'.Phone = "+1 (555) 0123"\' "$R" >t && mv t "$R"', ""),
    "jq and mv -f": ('cd "$D" && jq -c \'.Phone = "+1 (555) 0123"\' "$R" >t.json && mv -f t.json "$R"', ""),
    "jq and sponge": ('jq \'.Phone = "+1 (555) 0123"\' "$R" | sponge "$R"', ""),
    "jq, the one field only": ('jq -n \'{Phone: "+1 (555) 0123"}\' >t && cp t "$R"', ""),
    "cp": ('cp "$N" "$R"', ""),
    "cp -p": ('cp -p "$N" "$R"', ""),
    "cp -a": ('cp -a "$N" "$R"', ""),
    "cp --remove-destination": ('cp --remove-destination "$N" "$R"', ""),
    "cp --backup": ('cp --backup=simple "$N" "$R"', "~"),
    "cp -f into the directory": ('cp "$N" "${R##*/}" && cp -f "${R##*/}" "$D/"', ""),
    "install": ('install -m 644 "$N" "$R"', ""),
    "install -b": ('install -b "$N" "$R"', "~"),
    "mv": ('mv "$N" "$R"', ""),
    "mv -b": ('mv -b "$N" "$R"', "~"),
    "tar": ('cp "$N" "${R##*/}" && tar cf t.tar "${R##*/}" && tar xf t.tar -C "$D"', ""),
    "tar --overwrite": ('cp "$N" "${R##*/}" && tar cf t.tar "${R##*/}" && tar xf t.tar --overwrite -C "$D"', ""),
    "tee": ('tee "$R" <"$N" >/dev/null', ""),
    "cat": ('cat "$N" >"$R"', ""),
    "cat, noclobber forced": ('set -C; cat "$N" >|"$R"', ""),
    "cat, opened for both": ('cat "$N" 1<>"$R" && truncate -s "$(stat -c %s "$N")" "$R"', ""),
    "echo": ('echo \'{"Phone": "+1 (555) 0123"}\' >"$R"', ""),
    "printf, one field": ('printf \'{"Phone":"+1 (555) 0123"}\' >"$R"', ""),
    "two commands into one file": ('{ head -n 3 "$N"; tail -n +4 "$N"; } >"$R"', ""),
    "rsync": ('rsync "$N" "$R"', ""),
    "rsync -a": ('rsync -a "$N" "$R"', ""),
    "rsync --inplace": ('rsync --inplace "$N" "$R"', ""),
    "rsync --inplace --no-whole-file": ('rsync --inplace --no-whole-file -I "$N" "$R"', ""),
    "rsync --backup": ('rsync --backup "$N" "$R"', "~"),
    "dd": ('dd if="$N" of="$R" status=none', ""),
    "dd in small blocks": ('dd if="$N" of="$R" bs=7 status=none', ""),
    "dd conv=fsync": ('dd if="$N" of="$R" conv=fsync status=none', ""),
    "dd conv=notrunc": ('printf "%-20000s" "$(cat "$N")" >p; truncate -s "$(stat -c %s "$R")" "$N"; '
                        'dd if=p of="$R" conv=notrunc,fsync bs=64k status=none', ""),
    "python": ("""python3 -c 'import sys; open(sys.argv[2], "w").write(open(sys.argv[1]).read())' "$N" "$R" """, ""),
    "patch": ('diff -u "$R" "$N" >d; patch -s "$R" d', ""),
    "ex": ("""ex -s "$R" '+%s#"Phone": .*#"Phone": "+1 (555) 0123",#' +x --cmd 'set bsk='""", ""),
    "git's lock and rename": ('cd "$D" && (set -C; cat "$N" >"${R##*/}.lock") && mv "${R##*/}.lock" "${R##*/}"', ""),
    "a hard link as a backup": ('ln "$R" "$R~" && cat "$N" >"$R"', "~"),
    "a hard link as a backup, then a rename": ('ln "$R" "$R~" && cp "$N" "$D/.t" && mv "$D/.t" "$R"', "~"),
    "moved away, made anew": ('mv "$R" "$R.old" && cp "$N" "$R" && rm "$R.old"', ""),
    "moved away, made anew by a rename": ('mv "$R" "$R.old" && cp "$N" "$R.new" && mv "$R.new" "$R" && rm "$R.old"', ""),
    "moved away, changed there, moved back": ('mv "$R" "$R.old" && sed -i "$F" "$R.old" && mv "$R.old" "$R"', ""),
}


@pytest.mark.parametrize("name", LINES)
def test_one_update(page, name):
    line, backup = LINES[name]
    need({"jq": "jq", "tar": "tar", "a": "bash", "two": "bash", "git's": "bash", "moved": "bash", "echo": "bash"}
         .get(name.split()[0].rstrip(","), name.split()[0].rstrip(",")))
    if "sponge" in line:
        need("sponge")
    done = sh(line, page)
    assert (done.returncode, done.stderr) == (0, "")
    left = [os.path.basename(page.path) + backup] if backup else []
    page.saved(NEW, left=left)
    for other in left:
        assert read(os.path.join(page.dir, other)) == page.before
        os.unlink(os.path.join(page.dir, other))
    page.is_tidy()
    page.told(NEW)


# the same by system calls

def write_text(path, flags, data, mode=0o644):
    fd = os.open(path, flags, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
    finally:
        os.close(fd)


def python_w(page, data):
    with open(page.path, "w", encoding="utf-8", newline="") as file:
        file.write(data.decode())


def python_r_plus(page, data):
    with open(page.path, "r+b") as file:
        assert file.read() == page.before
        file.seek(0)
        file.write(data)
        file.truncate()


def python_w_plus(page, data):
    with open(page.path, "w+b") as file:
        file.write(data)
        file.seek(0)
        assert file.read() == data


def one_byte_at_a_time(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    for byte in data:
        os.write(fd, bytes((byte,)))
    os.close(fd)


def backwards(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    for start in reversed(range(0, len(data), 100)):
        os.pwrite(fd, data[start:start + 100], start)
    os.close(fd)


def mapped(page, data):
    fd = os.open(page.path, os.O_RDWR)
    os.ftruncate(fd, len(data))
    with mmap.mmap(fd, len(data)) as memory:
        memory[:] = data
        memory.flush()
    os.fsync(fd)
    os.close(fd)


def mapped_without_sync(page, data):
    fd = os.open(page.path, os.O_RDWR)
    os.ftruncate(fd, len(data))
    with mmap.mmap(fd, len(data)) as memory:
        memory[:] = data
    os.close(fd)


def truncated_by_name(page, data):
    fd = os.open(page.path, os.O_WRONLY)
    os.truncate(page.path, 0)
    os.write(fd, data)
    os.close(fd)


def truncate_then_write(page, data):
    with open(page.path, "r+b") as file:
        file.truncate(0)
        file.write(data)


def fsync_then_close(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, data)
    os.fsync(fd)
    os.fdatasync(fd)
    os.fsync(fd)
    os.close(fd)


def closed_twice(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, data)
    other = os.dup(fd)
    os.close(fd)
    os.close(other)


def a_child_has_it_too(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, data)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(fd)


def vs_code(page, data):
    """Writes beside it, syncs, renames."""
    temporary = os.path.join(page.dir, ".%s.vsctmp" % os.path.basename(page.path))
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, data)
    os.fdatasync(fd)
    os.close(fd)
    os.chmod(temporary, 0o644)
    os.rename(temporary, page.path)
    assert os.stat(page.path).st_size == len(read(page.path))


def vs_code_in_place(page, data):
    fd = os.open(page.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.write(fd, data)
    os.fdatasync(fd)
    before = os.fstat(fd)
    os.close(fd)
    assert os.stat(page.path).st_ino == before.st_ino


def renamed_while_open(page, data):
    """The temporary file is still open when it takes the record's name."""
    temporary = os.path.join(page.dir, "tmp-%s" % page.id)
    with open(temporary, "xb") as file:
        file.write(data)
        file.flush()
        os.rename(temporary, page.path)


def opened_before_and_read_after(page, data):
    """A reader with the old file open sees old or new, never a mix."""
    with open(page.path, "rb") as reader:
        write_text(page.path, os.O_WRONLY | os.O_TRUNC, data)
        assert reader.read() in (page.before, read(page.path))


def two_writers_one_file(page, data):
    """A program that looks whether it may write, while another one writes."""
    probe = os.open(page.path, os.O_WRONLY)
    write_text(page.path, os.O_WRONLY | os.O_TRUNC, data)
    os.close(probe)


CALLS = [python_w, python_r_plus, python_w_plus, one_byte_at_a_time, backwards, mapped, mapped_without_sync,
         truncated_by_name, truncate_then_write, fsync_then_close, closed_twice, a_child_has_it_too, vs_code,
         vs_code_in_place, renamed_while_open, opened_before_and_read_after, two_writers_one_file]


@pytest.mark.parametrize("save", CALLS, ids=lambda save: save.__name__)
def test_one_update_by_system_calls(page, save):
    save(page, page.text(**NEW).encode())
    if save is mapped_without_sync:  # written when the mapping goes, which nobody can wait for
        from mounts import wait_until
        assert wait_until(page.writes, 5)
        wait_until(lambda: b"555" in read(page.path), 5)
    page.saved(NEW)


# nothing is sent for nothing

UNCHANGED = {
    "cp of itself": 'cat "$R" >t; cp t "$R"',
    "sed that finds nothing": 'sed -i s/no-such-text/x/ "$R"',
    "jq . and mv": 'jq . "$R" >t && mv t "$R"',
    "jq -c": 'jq -c . "$R" >t && cat t >"$R"',
    "jq sorts the keys": 'jq -S . "$R" >t && cat t >"$R"',
    "an empty object": 'echo "{}" >"$R"',
    "touch": 'touch "$R"',
    "touch -d": 'touch -d 2001-01-01 "$R"',
    "chmod": 'chmod 600 "$R"',
    "chmod +x": 'chmod +x "$R"',
    "chown": 'chown "$(id -u):$(id -g)" "$R"',
    "opened for writing and closed": ': >>"$R"',
    "opened for both and closed": ': <>"$R"',
    "python r+": """python3 -c 'import sys; open(sys.argv[1], "r+").close()' "$R" """,
    "moved there and back": 'mv "$R" "$R.old" && mv "$R.old" "$R"',
    "a hard link, removed again": 'ln "$R" "$R.link" && rm "$R.link"',
    "a scratch file": 'echo hello >"$D/notes.txt" && test "$(cat "$D/notes.txt")" = hello && rm "$D/notes.txt"',
    "a link and back": 'ln -s here "$D/.#x" && test "$(readlink "$D/.#x")" = here && rm "$D/.#x"',
    "the same file rsynced": 'rsync -a "$R" t.json && rsync -a --checksum t.json "$R"',
    "truncated to its own size": 'truncate -s "$(stat -c %s "$R")" "$R"',
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_nothing_is_sent(page, name):
    if name.split()[0] in ("jq", "touch", "rsync"):
        need(name.split()[0])
    done = sh(UNCHANGED[name], page)
    assert (done.returncode, done.stderr) == (0, "")
    page.untouched()
    page.is_true()


def test_acls_are_not_there(page):
    need("setfacl")
    done = run("setfacl", "-m", "u:1:r", page.path)
    assert done.returncode == 0 or os.strerror(errno.ENOTSUP) in done.stderr
    page.untouched()


# what is not JSON is an error, and the record stays

BROKEN = {
    "echo >>": ('/bin/echo "more" >>"$R"', 1),
    "cat >>": ('cat "$N" >>"$R"', 1),
    "tee -a": ('echo x | tee -a "$R" >/dev/null', 1),
    "sort -o": ('sort -o "$R" "$R"', 2),
    "sed d": ('sed -i 1d "$R"', 4),
    "text": ('echo hello >t && cp t "$R"', 1),
    "half of it": ('head -c 100 "$N" >t && cp t "$R"', 1),
    "truncate": ('truncate -s 50 "$R"', 1),
    "perl -i": ('perl -i -pe "s/^{//" "$R"', None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_fails(page, name):
    line, status = BROKEN[name]
    need("perl" if name.startswith("perl") else "sort")
    done = sh(line, page)
    assert done.returncode == status if status else done.stderr, (done.returncode, done.stderr)
    assert os.strerror(errno.EINVAL) in done.stderr
    page.refused()


def test_two_saves_of_one_open_file(page):
    """A program that keeps the file open and syncs: each change is sent once, with its own field."""
    fd = os.open(page.path, os.O_RDWR)
    for number in range(3):
        data = page.text(Phone=str(number)).encode()
        os.ftruncate(fd, 0)
        os.pwrite(fd, data, 0)
        os.fsync(fd)
    os.close(fd)
    page.saved(*[{"Phone": str(number)} for number in range(3)])


def test_what_is_written_after_the_rename_is_saved(page):
    """The program still has its temporary file open, which is the record's now."""
    temporary = page.path + ".tmp"
    fd = os.open(temporary, os.O_CREAT | os.O_RDWR)
    os.write(fd, page.text(Phone="1").encode())
    os.rename(temporary, page.path)
    os.ftruncate(fd, 0)
    os.pwrite(fd, page.text(Phone="2").encode(), 0)
    os.close(fd)
    page.saved({"Phone": "1"}, {"Phone": "2"})


def test_ten_edits_in_a_row(page):
    for number in range(10):
        assert run("sed", "-i", 's|"Phone": .*|"Phone": "%d",|' % number, page.path).returncode == 0
        assert load(page.path)["Phone"] == str(number)
    page.saved(*[{"Phone": str(number)} for number in range(10)])


def test_ten_edits_of_ten_fields(page):
    fields = ["Name", "Phone", "Fax", "AccountNumber", "Site", "Website", "Description", "BillingCity", "ShippingCity",
              "TickerSymbol"]
    shown = load(page.path)
    fields = [field for field in fields if field in shown]
    assert len(fields) >= 7
    for field in fields:
        write_text(page.path, os.O_WRONLY | os.O_TRUNC, ('{"%s": "new %s"}' % (field, field[:3])).encode())
    page.saved(*[{field: "new %s" % field[:3]} for field in fields])


def test_what_the_orgs_triggers_change_is_shown(page):
    old = load(page.path)
    rating, priority = ("Hot", "High") if old["Rating"] != "Hot" else ("Cold", "Low")
    with open(page.path, "w", encoding="utf-8") as file:
        file.write(page.text(Rating=rating))
    assert load(page.path)["CustomerPriority__c"] == priority
    page.saved({"Rating": rating}, by_org=["CustomerPriority__c"])


def test_text_of_every_kind_is_sent_as_typed(page):
    text = 'line 1\nline 2\ttab "quotes" \\ back\\slash / é 🙂 @{not.a.reference} @{x}'
    with open(page.path, "w", encoding="utf-8") as file:
        file.write(page.text(Description=text))
    page.saved({"Description": text})


def test_a_byte_order_mark_and_crlf(page):
    data = b"\xef\xbb\xbf" + page.text(**NEW).replace("\n", "\r\n").encode()
    write_text(page.path, os.O_WRONLY | os.O_TRUNC, data)
    page.saved(NEW)


def test_a_program_that_writes_a_byte_order_mark_saves_twice(page):
    """Its second text is made from its first one, as that of a program that writes no mark."""
    for number in ("1", "2"):
        write_text(page.path, os.O_WRONLY | os.O_TRUNC, page.text(Phone=number).encode("utf-8-sig"))
    page.saved({"Phone": "1"}, {"Phone": "2"})


def test_a_backup_is_local_and_stays_until_it_is_removed(page):
    backup = page.path + ".bak"
    shutil.copyfile(page.path, backup)
    page.untouched(left=[os.path.basename(backup)])
    assert read(backup) == page.before
    os.unlink(backup)
    page.untouched()
