# SPDX-License-Identifier: MIT
"""The mount dies or ends in the middle of saves: no record is half saved, and nothing is believed that is not so."""
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from clients import ENV, load, read
from mounts import wait_until
from saving import Desk, org_values, save
from test_save_together import SAVER, accepted

# The same with two fields that belong together, so that half a save would show.
PAIRS = SAVER.replace('''lines = ['  "Phone": "%s",' % value if line.startswith('  "Phone": ') else line for line in lines]''',
                      '''lines = ['  "%s": "%s",' % (line.split('"')[1], value) if line.startswith(('  "Phone": ', '  "AccountNumber": '))
             else line for line in lines]''')


def start_savers(mount, ids, processes, script):
    running = []
    for share in range(processes):
        process = subprocess.Popen([sys.executable, "-c", script], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        lines = "".join("%s v%d\n" % (mount.record("Account", record_id), number)
                        for number, record_id in list(enumerate(ids))[share::processes])
        process.stdin.write(lines.encode())
        process.stdin.close()
        running.append(process)
    return running


@pytest.mark.parametrize("after", [5, 40, 120])
def test_kill_9_in_the_middle_of_saves(stage, after):
    desk = Desk(stage, records=200, latency_ms=20)
    before = {record_id: desk.org.record("Account", record_id) for record_id in desk.ids}
    scratch = os.path.join(desk.dir, ".half.json.swp")
    with open(scratch, "w", encoding="utf-8") as file:
        file.write('{"Name": "never"}')
    mark = desk.org.mark()
    running = start_savers(desk.mount, desk.ids, 16, PAIRS)
    assert wait_until(lambda: len(accepted(desk.org, mark)) >= after, 30)
    desk.mount.kill()
    for process in running:
        process.wait(timeout=60)
    desk.mount.start()
    saved = accepted(desk.org, mark)
    assert after <= len(saved) <= len(desk.ids)
    for number, record_id in enumerate(desk.ids):
        now = desk.org.record("Account", record_id)
        pair = (now["Phone"], now["AccountNumber"])
        old = (before[record_id]["Phone"], before[record_id]["AccountNumber"])
        new = ("v%d" % number, "v%d" % number)
        assert pair == (new if record_id in saved else old), record_id
    assert sorted(os.listdir(desk.dir)) == desk.names
    assert wait_until(lambda: all(agrees(desk, record_id) for record_id in desk.ids), 10)


def agrees(desk, record_id):
    shown = load(desk.mount.record("Account", record_id))
    return shown == org_values(desk.org, "Account", record_id, shown)


def test_sigterm_waits_for_the_save_under_way(stage):
    """The close that waits for the org gets the org's answer, and the mount ends after it."""
    desk = Desk(stage, "ttl=600", records=5, latency_ms=0)
    path = desk.mount.record("Account", desk.ids[0])
    desk.org.latency(700)
    mark, result = desk.org.mark(), []
    thread = threading.Thread(target=lambda: result.append(save(path, '{"Phone": "late"}')))
    thread.start()
    assert wait_until(lambda: status_saving(desk) or desk.org.counts()["in_flight_max"] > 0, 10)
    time.sleep(0.2)
    desk.mount.process.send_signal(signal.SIGTERM)
    thread.join(timeout=30)
    assert desk.mount.process.wait(timeout=30) == 0
    desk.mount.process = None
    desk.org.latency(0)
    kept = accepted(desk.org, mark)
    if result == [0]:
        assert kept == {desk.ids[0]: [{"Phone": "late"}]}
    else:
        assert result[0] in (errno.EINTR, errno.ENOTCONN), result
    desk.mount.start()
    shown = load(path)
    assert shown["Phone"] == desk.org.record("Account", desk.ids[0])["Phone"]


def test_sigterm_in_the_middle_of_renames(stage):
    """Words to the kernel wait for the directory's lock then, whose holder waits for an answer."""
    desk, results = Desk(stage, records=30), []
    pages = [desk.page() for _ in range(20)]
    for page in pages:
        save(page.path + ".tmp", page.text(Phone="7"), os.O_CREAT)
    desk.org.latency(100)

    def move(page):
        try:
            os.rename(page.path + ".tmp", page.path)
            results.append(0)
        except OSError as error:
            results.append(error.errno)

    threads = [threading.Thread(target=move, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: len(results) > 2, 20)
    desk.mount.process.send_signal(signal.SIGTERM)
    assert desk.mount.process.wait(timeout=20) == 0
    desk.mount.process = None
    for thread in threads:
        thread.join()
    assert len(accepted(desk.org, pages[0].mark)) >= results.count(0) > 0


def status_saving(desk):
    return desk.mount.status().get("saves", {})


def test_umount_waits_for_the_saves_in_progress(stage):
    """forcefs umount while programs save: all that was acknowledged is in the org."""
    desk = Desk(stage, records=40, latency_ms=50)
    mark, results = desk.org.mark(), {}

    def write(record_id):
        results[record_id] = save(desk.mount.record("Account", record_id), '{"Phone": "x"}')

    threads = [threading.Thread(target=write, args=(record_id,)) for record_id in desk.ids]
    for thread in threads:
        thread.start()
    done = desk.mount.home.command("umount", desk.mount.dir)
    for thread in threads:
        thread.join(timeout=60)
    assert done.returncode == 0, done.stderr
    assert desk.mount.process.wait(timeout=30) == 0
    desk.mount.process = None
    assert set(results.values()) == {0}, results
    assert set(accepted(desk.org, mark)) == set(desk.ids)


def test_what_was_being_written_when_the_mount_ends_is_kept(stage):
    desk = Desk(stage, records=5)
    path = desk.mount.record("Account", desk.ids[0])
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, b'{"Phone": "half')
    desk.mount.process.send_signal(signal.SIGTERM)
    assert desk.mount.process.wait(timeout=30) == 0
    desk.mount.process = None
    try:
        os.close(fd)
    except OSError:
        pass
    desk.mount.start()
    folder = desk.mount.path(".forcefs", "rejected")
    kept = [name for name in os.listdir(folder) if name.endswith(".json")]
    assert [read(os.path.join(folder, name)) for name in kept] == [b'{"Phone": "half']
    assert json.loads(read(path).decode())["Phone"] == desk.org.record("Account", desk.ids[0])["Phone"]


def test_a_writer_that_is_killed_saves_nothing_broken(stage):
    """Its half-written text looks like any close; it is no JSON, so the record stays and the text is kept."""
    desk = Desk(stage, records=5)
    path = desk.mount.record("Account", desk.ids[0])
    before, mark = read(path), desk.org.mark()
    code = "import os, sys, time\nfd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)\n" \
           "os.write(fd, b'{\"Phone\": ')\nprint('ready', flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, path], env=ENV, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    process.kill()
    process.wait(timeout=30)
    process.stdout.close()
    assert wait_until(lambda: read(path) == before, 10)
    assert accepted(desk.org, mark) == {}
    folder = desk.mount.path(".forcefs", "rejected")
    assert wait_until(lambda: [name for name in os.listdir(folder) if name.endswith(".json")], 10)


def test_kill_9_while_the_kernel_is_told_of_a_change(stage):
    """A thread that tells the kernel of a name waits for the directory's lock, which a program holds that waits for an
    answer: nobody may be left waiting when the mount is killed just then."""
    if os.geteuid() and not os.path.isdir("/sys/fs/fuse/connections/%d" % os.minor(os.stat(stage.folder).st_dev)) \
            and not os.listdir("/sys/fs/fuse/connections"):
        pytest.skip("an ordinary user can close no connection here")
    desk = Desk(stage, "ttl=2", records=20)
    path, other = (desk.mount.record("Account", desk.ids[number]) for number in (0, 5))
    scratch = os.path.join(desk.dir, "t.tmp")
    with open(scratch, "w", encoding="utf-8") as file:
        file.write('{"Phone": "1"}')
    time.sleep(2.1)
    os.listdir(desk.dir)
    desk.org.faults([{"match": {"kind": "composite"}, "do": "stall", "seconds": 60}])
    mover = subprocess.Popen(["mv", scratch, path], stderr=subprocess.PIPE, env=ENV)
    assert wait_until(lambda: desk.org.faults_left()[0]["times"] == 0, 10), "the save waits for its answer"
    desk.org.delete("Account", ids=[desk.ids[9]])
    time.sleep(2.1)
    reader = subprocess.Popen(["cat", other], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
    wait_until(lambda: sleeps_in(desk.mount.pid, "fuse_reverse_inval") or reader.poll() is not None, 10)
    desk.mount.kill()
    assert mover.wait(timeout=10) != 0
    mover.stderr.close()
    reader.wait(timeout=10)
    desk.mount.start()
    assert os.path.exists(path)


def sleeps_in(pid, function):
    """Whether a thread of the process is in that function of the kernel."""
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/stack" % (pid, task), encoding="ascii") as file:
                if function in file.read():
                    return True
        except OSError:
            continue
    return False
