# SPDX-License-Identifier: MIT
"""Manners: what POSIX programs expect of any filesystem, down to the errno."""
import ctypes
import errno
import fcntl
import json
import mmap
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

from clients import ids, output, read, run
from mounts import wait_until

LONG = "x" * 256
REFUSED = ("EPERM", "EACCES", "EROFS")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.telldir.restype = ctypes.c_long
LIBC.opendir.restype = LIBC.readdir64.restype = ctypes.c_void_p
for _name in ("readdir64", "telldir", "rewinddir", "closedir", "dirfd"):
    getattr(LIBC, _name).argtypes = [ctypes.c_void_p]
LIBC.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org(records={"Account": 300})


@pytest.fixture(scope="module")
def mount(module_stage, org):
    mount = module_stage.home(org, allow="update").mount("ttl=600")
    os.listdir(mount.path("Account"))
    return mount


@pytest.fixture
def record(mount, org):
    return mount.record("Account", org.ids("Account", limit=7)[6])


def failure(function, *arguments, **options):
    with pytest.raises(OSError) as caught:
        result = function(*arguments, **options)
        if isinstance(result, int) and result > 2:
            os.close(result)
    return name_of(caught.value.errno)


def name_of(number):
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode[number]


def quiet(org, before):
    """Nothing was written, and nothing asked that a name alone can answer."""
    return [call for call in org.log(since=before) if call["kind"] not in ("limits",)] == []


# names and paths

def test_names_that_are_too_long(mount):
    for path in (mount.path(LONG), mount.path("Account", LONG), mount.path("Account", LONG, "x"), mount.path(".forcefs", LONG)):
        assert failure(os.stat, path) == "ENAMETOOLONG"
        assert failure(os.open, path, os.O_RDONLY) == "ENAMETOOLONG"
        assert failure(os.unlink, path) == "ENAMETOOLONG"
        assert failure(os.open, path, os.O_CREAT | os.O_WRONLY) == "ENAMETOOLONG"
        assert failure(os.mkdir, path) == "ENAMETOOLONG"
    assert failure(os.rename, mount.path("Account"), mount.path(LONG)) == "ENAMETOOLONG"
    assert failure(os.stat, mount.dir + "/./" * 2000) == "ENAMETOOLONG"
    assert failure(os.stat, mount.path("Account", "y" * 255)) == "ENOENT"


def test_a_path_through_a_file(record):
    for function in (os.stat, os.lstat, os.listdir, os.unlink, os.readlink):
        assert failure(function, os.path.join(record, "x")) == "ENOTDIR"
    assert failure(os.open, record + "/", os.O_RDONLY) == "ENOTDIR"
    assert failure(os.open, record, os.O_RDONLY | os.O_DIRECTORY) == "ENOTDIR"
    assert failure(os.open, os.path.join(record, "x"), os.O_CREAT | os.O_WRONLY) == "ENOTDIR"
    assert failure(os.listdir, record) == "ENOTDIR"
    assert failure(os.rmdir, record) == "ENOTDIR"


def test_what_is_not_there(mount):
    for path in (mount.path("Nope"), mount.path("Account", "nope"), mount.path("Nope", "x"), mount.path("Account", "x", "y"),
                 mount.path("Account", "001000000000000AAA.json"), mount.path(".forcefs", "x")):
        for function in (os.stat, os.listdir, os.unlink, os.rmdir, os.readlink):
            assert failure(function, path) == "ENOENT"
        assert failure(os.open, path, os.O_RDWR) == "ENOENT"
    assert failure(os.stat, "") == "ENOENT"
    assert not os.access(mount.path("Account", "nope"), os.F_OK)


def test_odd_bytes_in_names(mount, org):
    before = org.mark()
    for name in (b"\xff\xfe", b"001\x80", b"a\nb", "ümläut".encode(), b"*", b"%41", b"' OR 1=1", b"..."):
        for folder in (mount.dir, mount.path("Account")):
            assert failure(os.stat, os.path.join(os.fsencode(folder), name)) == "ENOENT"
    assert quiet(org, before)


def test_dot_and_dot_dot(mount):
    assert os.stat(mount.path("Account", ".")).st_ino == os.stat(mount.path("Account")).st_ino
    assert os.stat(mount.path("Account", "..")).st_ino == os.stat(mount.dir).st_ino
    assert failure(os.rmdir, mount.path("Account", ".")) == "EINVAL"
    assert failure(os.rmdir, mount.path("Account", "..")) == "ENOTEMPTY"
    with os.scandir(mount.path("Account")) as entries:
        assert not {".", ".."} & {entry.name for entry in entries}


# what the tree is made of cannot be changed

def test_directories_stay_as_they_are(mount, org):
    before = org.mark()
    assert failure(os.unlink, mount.path("Account")) in ("EISDIR", "EPERM")
    assert failure(os.rmdir, mount.path("Account")) in ("EPERM", "EACCES", "ENOTEMPTY", "EROFS")
    assert failure(os.mkdir, mount.path("New")) in REFUSED
    assert failure(os.mkdir, mount.path("Account")) == "EEXIST"
    assert failure(os.rename, mount.path("Account"), mount.path("Contact")) in ("EPERM", "EACCES", "ENOTEMPTY", "EROFS", "EXDEV")
    assert failure(os.rename, mount.path("Account"), mount.path("New")) in REFUSED
    assert failure(os.symlink, "/etc/passwd", mount.path("link")) in REFUSED
    assert failure(os.open, mount.path("file"), os.O_CREAT | os.O_WRONLY) in REFUSED
    assert failure(os.open, mount.path("Account"), os.O_WRONLY) == "EISDIR"
    assert failure(os.truncate, mount.path("Account"), 0) == "EISDIR"
    assert failure(os.rmdir, mount.path(".forcefs")) in ("EPERM", "EACCES", "EROFS", "ENOTEMPTY")
    assert "Account" in os.listdir(mount.dir) and "New" not in os.listdir(mount.dir)
    assert quiet(org, before)


def test_records_are_no_place_for_these(mount, org, record):
    before, content = org.mark(), read(record)
    folder = mount.path("Account")
    assert failure(os.mkfifo, os.path.join(folder, "fifo")) in ("EPERM", "EOPNOTSUPP", "ENOSYS")
    assert failure(os.mkdir, os.path.join(folder, "sub")) in ("EPERM", "EACCES", "EOPNOTSUPP")
    assert failure(os.unlink, record) == "EPERM"
    assert failure(os.rename, record, mount.path("Contact", "x.json")) in ("EPERM", "EXDEV", "EACCES")
    assert failure(os.rename, record, mount.record("Account", org.ids("Account", limit=9)[8])) in REFUSED
    assert failure(os.open, record, os.O_CREAT | os.O_EXCL | os.O_WRONLY) == "EEXIST"
    assert failure(os.mkdir, record) == "EEXIST"
    assert failure(os.symlink, "x", record) == "EEXIST"
    if os.geteuid() == 0:
        assert failure(os.mknod, os.path.join(folder, "device"), stat.S_IFCHR | 0o600, os.makedev(1, 3)) in ("EPERM", "EACCES")
    with socket.socket(socket.AF_UNIX) as sock:
        os.chdir(folder)
        try:
            assert failure(sock.bind, "sock") in ("EPERM", "EOPNOTSUPP", "ENOSYS", "EACCES")
        finally:
            os.chdir("/")
    assert read(record) == content and os.stat(record).st_nlink == 1
    assert quiet(org, before)


def test_a_record_moved_away_is_still_in_the_org(mount, org, record):
    before, content, away = org.mark(), read(record), mount.path("Account", "away.json")
    os.rename(record, away)
    assert failure(os.stat, record) == "ENOENT" and read(away) == content
    os.rename(away, record)
    assert failure(os.stat, away) == "ENOENT" and read(record) == content
    assert quiet(org, before)


def test_a_hard_link_of_a_record_is_a_copy(mount, org, record):
    """As some editors make their backups; it is never sent."""
    before, copy = org.mark(), mount.path("Account", "backup~")
    os.link(record, copy)
    assert read(copy) == read(record) and os.stat(copy).st_ino != os.stat(record).st_ino
    with open(copy, "w") as file:
        file.write("x")
    assert read(record)[:1] == b"{" and read(copy) == b"x"
    os.unlink(copy)
    name = os.path.basename(record)
    assert failure(os.link, record, mount.path("Account", name.replace(name[:18], org.ids("Account", limit=9)[8]))) == "EEXIST"
    assert failure(os.link, record, mount.path("link")) in REFUSED
    assert quiet(org, before)


def test_across_to_another_filesystem(mount, record, tmp_path):
    outside = str(tmp_path / "out")
    assert failure(os.rename, record, outside) == "EXDEV"
    assert failure(os.link, record, outside) == "EXDEV"
    shutil.copy2(record, outside)
    assert read(outside) == read(record)


def test_modes_and_owners_are_not_for_programs_to_change(mount, org, record):
    """What is there already may be set again: archivers and editors do."""
    before, now = org.mark(), os.stat(record)
    os.chmod(record, stat.S_IMODE(now.st_mode))
    os.chown(record, now.st_uid, now.st_gid)
    os.chown(record, -1, -1)
    os.utime(record)
    after = os.stat(record)
    assert (after.st_mode, after.st_uid, after.st_gid, after.st_size) == (now.st_mode, now.st_uid, now.st_gid, now.st_size)
    output("touch", record)
    assert quiet(org, before)


def test_a_fresh_name_may_be_excluded(mount, org):
    """O_EXCL on an editor's own file: the first wins."""
    before, path = org.mark(), mount.path("Account", ".lock~")
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        assert failure(os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY) == "EEXIST"
    finally:
        os.close(descriptor)
        os.unlink(path)
    assert failure(os.stat, path) == "ENOENT" and quiet(org, before)


# reading

def test_read_at_every_offset(record):
    content, size = read(record), os.stat(record).st_size
    with open(record, "rb", buffering=0) as file:
        for offset in (0, 1, 7, size - 1, size, size + 1, size + 4096, 1 << 40):
            assert os.pread(file.fileno(), 100, offset) == content[offset:offset + 100]
        assert file.seek(size + 10) == size + 10 and file.read(5) == b""
        assert file.seek(-3, os.SEEK_END) == size - 3 and file.read() == content[-3:]
        assert failure(file.seek, -1) == "EINVAL"
        assert os.lseek(file.fileno(), 3, os.SEEK_DATA) == 3
        assert os.lseek(file.fileno(), 0, os.SEEK_HOLE) == size
        assert failure(os.lseek, file.fileno(), size + 1, os.SEEK_DATA) == "ENXIO"
        assert os.readv(file.fileno(), [bytearray(3), bytearray(4)]) >= 0
        assert failure(os.write, file.fileno(), b"x") == "EBADF"
        assert failure(os.ftruncate, file.fileno(), 0) in ("EINVAL", "EBADF")


def test_mapped_into_memory(record):
    with open(record, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED) as mapped:
        assert mapped[:] == read(record)


def test_sent_and_copied_by_the_kernel(record, tmp_path):
    size = os.stat(record).st_size
    with open(record, "rb") as source, open(str(tmp_path / "a"), "wb") as target:
        done = 0
        while done < size:
            done += os.sendfile(target.fileno(), source.fileno(), done, size - done)
    assert read(str(tmp_path / "a")) == read(record)
    if hasattr(os, "copy_file_range"):
        with open(record, "rb") as source, open(str(tmp_path / "b"), "wb") as target:
            try:
                assert os.copy_file_range(source.fileno(), target.fileno(), size) == size
                assert read(str(tmp_path / "b")) == read(record)
            except OSError as error:
                assert error.errno in (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def test_statx_and_access(mount, record):
    found = os.stat(record)
    assert stat.S_ISREG(found.st_mode) and found.st_blocks * 512 >= found.st_size > 0
    assert found.st_dev == os.stat(mount.path("Account")).st_dev == os.stat(mount.dir).st_dev
    assert found.st_ino == os.lstat(record).st_ino
    assert os.access(record, os.R_OK) and os.access(mount.path("Account"), os.R_OK | os.X_OK)
    assert not os.access(record, os.X_OK)
    assert output("stat", "-c", "%F %s", record) == "regular file %d\n" % found.st_size
    assert output("stat", "-f", "-c", "%T", mount.dir).startswith("fuse")


def test_utime_of_zero_bytes(mount):
    assert os.stat(mount.path("Account")).st_size >= 0
    assert os.statvfs(mount.dir).f_namemax == 255


# directories

class Directory:
    """opendir and its kin, as the C library has them. At the end of a `with` it is closed."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        LIBC.closedir(self.handle)

    def __init__(self, path):
        self.handle = LIBC.opendir(os.fsencode(path))
        assert self.handle

    def next(self):
        entry = LIBC.readdir64(self.handle)
        return ctypes.string_at(entry + 19).decode() if entry else None

    def rest(self):
        return list(iter(self.next, None))

    def tell(self):
        return LIBC.telldir(self.handle)

    def seek(self, place):
        LIBC.seekdir(self.handle, place)

    def rewind(self):
        LIBC.rewinddir(self.handle)


def test_seekdir_leads_to_where_telldir_was(mount):
    with Directory(mount.path("Account")) as directory:
        places, names = [], []
        for name in iter(lambda: (places.append(directory.tell()), directory.next())[1], None):
            names.append(name)
        assert len(set(names)) == len(names) == 302
        for number in (0, 1, 2, 3, 57, 150, 299, 301):
            directory.seek(places[number])
            assert directory.next() == names[number]
        directory.seek(places[200])
        assert directory.rest() == names[200:]
        directory.rewind()
        assert directory.rest() == names


def test_a_directory_that_changes_while_it_is_read(stage):
    """What was there all the time is seen once; what came or went may or may not be seen."""
    org = stage.org(records={"Account": 900})
    mount = stage.home(org).mount("ttl=1")
    stay = set(org.ids("Account", limit=900))
    os.listdir(mount.path("Account"))
    with Directory(mount.path("Account")) as directory:
        seen = [directory.next() for _ in range(100)]
        leaving = org.ids("Account", limit=900)
        gone = set(org.delete("Account", ids=leaving[:50] + leaving[500:550]))
        made = {org.create("Account", Name="New %d" % number) for number in range(20)}
        time.sleep(1.1)
        os.listdir(mount.path("Account"))
        seen += directory.rest()
    found = ids(name for name in seen if name.endswith(".json"))
    assert len(seen) == len(set(seen))
    assert stay - gone <= found <= stay | made
    assert wait_until(lambda: ids(os.listdir(mount.path("Account"))) == (stay - gone) | made, 10)


def test_two_readers_of_one_directory(mount):
    with Directory(mount.path("Account")) as one, Directory(mount.path("Account")) as other:
        names = [(one.next(), other.next()) for _ in range(302)]
        assert all(left == right for left, right in names) and one.next() is None and other.next() is None


def test_types_in_the_directory(mount):
    with os.scandir(mount.dir) as entries:
        assert all(entry.is_dir(follow_symlinks=False) for entry in entries)
    with os.scandir(mount.path("Account")) as entries:
        for entry in entries:
            assert entry.is_file(follow_symlinks=False) and entry.inode() == entry.stat().st_ino


def test_descriptors_of_directories(mount, record):
    folder = os.open(mount.path("Account"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert failure(os.read, folder, 10) == "EISDIR"
        assert os.fstat(folder).st_ino == os.stat(mount.path("Account")).st_ino
        os.fsync(folder)
        descriptor = os.open(os.path.basename(record), os.O_RDONLY, dir_fd=folder)
        assert os.read(descriptor, 1) == b"{"
        os.close(descriptor)
    finally:
        os.close(folder)


# locks, and calls that mean nothing here

def test_flock(record):
    with open(record, "rb") as one, open(record, "rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX)
        assert failure(fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB) == "EAGAIN"
        fcntl.flock(one, fcntl.LOCK_UN)
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_record_locks(record):
    with open(record, "rb+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
        done = run(sys.executable, "-S", "-c", "import fcntl, sys\nwith open(sys.argv[1], 'rb+') as file:\n"
                   "    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, int(sys.argv[2]))", record, "5")
        assert done.returncode == 1 and "BlockingIOError" in done.stderr
        output(sys.executable, "-S", "-c", "import fcntl, sys\nwith open(sys.argv[1], 'rb+') as file:\n"
               "    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, int(sys.argv[2]))", record, "20")


def test_locks_send_nothing(org, record):
    before = org.mark()
    test_flock(record)
    test_record_locks(record)
    assert quiet(org, before)


def test_calls_that_mean_nothing_here(mount, org, record):
    before, content = org.mark(), read(record)
    with open(record, "rb") as file:
        assert failure(os.posix_fallocate, file.fileno(), 0, 10) == "EBADF"
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        os.fsync(file.fileno())
        assert failure(fcntl.ioctl, file, 0x5401) in ("ENOTTY", "ENOSYS")
    descriptor = os.open(record, os.O_RDWR)
    try:
        LIBC.fallocate(descriptor, 3, ctypes.c_long(0), ctypes.c_long(10))
        assert ctypes.get_errno() in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM)
    finally:
        os.close(descriptor)
    assert failure(os.readlink, record) == "EINVAL"
    assert failure(os.setxattr, record, "user.mine", b"1") in ("EOPNOTSUPP", "EPERM", "EACCES")
    assert failure(os.removexattr, record, "user.forcefs.id") in ("EOPNOTSUPP", "EPERM", "EACCES", "ENODATA")
    assert failure(os.getxattr, record, "user.nope") == "ENODATA"
    assert failure(os.getxattr, record, "security.selinux") in ("ENODATA", "EOPNOTSUPP")
    assert read(record) == content and quiet(org, before)


# writing, as far as it is manners

def edit(path, flags, *steps):
    """Opens and does the steps; the errno of what fails first, closing included."""
    descriptor = None
    try:
        descriptor = os.open(path, flags)
        for step in steps:
            step(descriptor)
        closing, descriptor = descriptor, None
        os.close(closing)
    except OSError as error:
        if descriptor is not None:
            try:
                os.close(descriptor)
            except OSError:
                pass
        return name_of(error.errno)
    return ""


def changed(content, value):
    before = json.loads(content.decode())["Website"]
    return content.replace(b'"Website": ' + json.dumps(before).encode(), b'"Website": ' + json.dumps(value).encode())


def test_append_with_o_append(mount, org):
    """White space at the end is no change; a second object is none that could be saved."""
    record_id = org.ids("Account", limit=20)[12]
    path, before = mount.record("Account", record_id), org.mark()
    content = read(path)
    assert edit(path, os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b"\n"), lambda fd: os.write(fd, b"\n")) == ""
    assert read(path) == content
    assert edit(path, os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b"{}\n")) == "EINVAL"
    assert wait_until(lambda: read(path) == content, 5)
    assert quiet(org, before)


def test_a_hole_is_no_json(mount, org):
    path, before = mount.record("Account", org.ids("Account", limit=20)[13]), org.mark()
    content = read(path)
    assert edit(path, os.O_WRONLY, lambda fd: os.lseek(fd, len(content) + 5000, os.SEEK_SET),
                lambda fd: os.write(fd, b"x")) == "EINVAL"
    assert wait_until(lambda: read(path) == content, 5) and quiet(org, before)


def test_a_write_too_far_out(mount, org):
    path, before = mount.record("Account", org.ids("Account", limit=20)[14]), org.mark()
    content = read(path)
    assert edit(path, os.O_RDWR, lambda fd: os.pwrite(fd, b"x", 1 << 40)) == "EFBIG"
    assert edit(path, os.O_RDWR, lambda fd: os.ftruncate(fd, 1 << 40)) == "EFBIG"
    assert wait_until(lambda: read(path) == content, 5) and quiet(org, before)


def test_in_pieces_and_out_of_order(mount, org):
    record_id = org.ids("Account", limit=20)[15]
    path, before = mount.record("Account", record_id), org.mark()
    text = changed(read(path), "pieces.example")
    places = list(range(0, len(text), 13))
    places = places[1::2] + places[0::2]
    steps = [lambda fd, at=at: os.pwrite(fd, text[at:at + 13], at) for at in places]
    assert edit(path, os.O_RDWR, *steps, lambda fd: os.ftruncate(fd, len(text))) == ""
    assert org.record("Account", record_id)["Website"] == "pieces.example"
    assert sum(call["kind"] == "composite" for call in org.log(since=before)) == 1


def test_descriptors_that_outlive_each_other(mount, org):
    """dup, and a child that inherits: the change is saved once."""
    record_id = org.ids("Account", limit=20)[16]
    path, before = mount.record("Account", record_id), org.mark()
    text = changed(read(path), "dup.example")
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    other = os.dup(descriptor)
    child = subprocess.Popen(["sleep", "0.3"], pass_fds=[other])
    os.write(descriptor, text)
    os.close(descriptor)
    os.close(other)
    child.wait()
    assert wait_until(lambda: org.record("Account", record_id)["Website"] == "dup.example", 10)
    parts = [part for call in org.log(since=before) for part in call.get("parts") or [call] if part["kind"] == "update"]
    assert len(parts) == 1


def test_a_shared_mapping_is_saved(mount, org):
    record_id = org.ids("Account", limit=20)[17]
    path = mount.record("Account", record_id)
    content = read(path)
    before = json.loads(content.decode())["Website"]
    if not before:
        pytest.skip("this record has no website")
    with open(path, "rb+") as file:
        with mmap.mmap(file.fileno(), 0) as mapped:
            at = content.index(b'"Website": ') + 12
            mapped[at:at + 1] = b"z"
            mapped.flush()
        os.fsync(file.fileno())
    assert org.record("Account", record_id)["Website"] == "z" + before[1:]


def test_many_threads_write_their_own_records(mount, org):
    chosen = org.ids("Account", limit=140)[100:]
    wrong = []

    def one(record_id):
        path = mount.record("Account", record_id)
        text = changed(read(path), record_id.lower() + ".example")
        problem = edit(path, os.O_WRONLY | os.O_TRUNC, lambda fd: os.write(fd, text))
        if problem or org.record("Account", record_id)["Website"] != record_id.lower() + ".example":
            wrong.append((record_id, problem))

    threads = [threading.Thread(target=one, args=(record_id,)) for record_id in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
