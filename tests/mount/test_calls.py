# SPDX-License-Identifier: MIT
"""What everyday use costs in API calls, counted at the org."""
import math
import os
import subprocess
import time

import pytest

from clients import ENV, ids, load, output, read, run, start, timed

RECORDS = 20000
PAGE = 2000


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org(records={"Account": RECORDS})


class Count:
    """with Count(org) as count: …; then count.calls and count.by_kind."""

    def __init__(self, org):
        self.org = org

    def __enter__(self):
        self.before = self.org.mark()
        return self

    def __exit__(self, *_):
        found = self.org.counts(since=self.before)
        self.calls, self.by_kind = found["counted"], found["by_kind"]


def grep(directory, word="Kestrel"):
    return output("grep", "-rl", word, directory).split()


@pytest.mark.parametrize("option", ["rw", "ro"])
def test_grep_of_a_big_directory_from_cold_to_remounted(stage, org, option):
    home = stage.home(org)
    with Count(org) as cold:
        mount = home.mount(option, "ttl=600")
        found = grep(mount.path("Account"))
    assert cold.calls <= math.ceil(RECORDS / PAGE) + 3, cold.by_kind
    with Count(org) as warm:
        assert grep(mount.path("Account")) == found
        output("ls", "-l", mount.path("Account"))
    assert warm.calls == 0, warm.by_kind
    with Count(org) as remounted:
        mount.remount()
        assert sorted(grep(mount.path("Account"))) == sorted(found)
    assert remounted.calls <= 3, remounted.by_kind
    mount.remount(option, "ttl=6")
    time.sleep(6.2)
    everybody = org.ids("Account", limit=RECORDS)
    changed, gone = everybody[100:1100:100], everybody[1500:1503]
    org.change("Account", ids=changed, set={"Name": "Kestrel & Daughters"})
    org.delete("Account", ids=gone)
    with Count(org) as checked:
        after = {os.path.basename(name)[:18] for name in grep(mount.path("Account"))}
        names = ids(os.listdir(mount.path("Account")))
    assert checked.calls <= 3, checked.by_kind
    before = {os.path.basename(name)[:18] for name in found}
    assert names == set(everybody) - set(gone)
    assert set(changed) <= after and not after & set(gone) and before - set(gone) <= after
    for record in changed:
        path = mount.record("Account", record)
        assert load(path)["Name"] == "Kestrel & Daughters"
        assert os.stat(path).st_size == len(read(path)) and os.stat(path).st_mtime > time.time() - 600


# after ttl, every way to look sees what changed

NEW_NAME = "Someone else's much longer name for this contact"
LOOKS = {
    "cat": lambda mount, record: output("cat", mount.record("Contact", record)),
    "cat in the directory": lambda mount, record: output("cat", record + ".json", cwd=mount.path("Contact")),
    "grep": lambda mount, record: output("grep", "-rh", "Department", mount.path("Contact")),
    "python": lambda mount, record: read(mount.record("Contact", record)).decode(),
}


@pytest.fixture(scope="module")
def small(module_stage):
    return module_stage.org()


@pytest.mark.parametrize("option", ["rw", "ro"])
@pytest.mark.parametrize("look", LOOKS)
def test_new_content_is_seen_after_ttl(stage, small, look, option):
    mount = stage.mount(small, option, "ttl=2")
    record = small.ids("Contact")[7]
    unwanted = "Dept. %s of %s" % (look, option)
    output("ls", "-l", mount.path("Contact"))
    assert unwanted not in LOOKS[look](mount, record)
    small.change("Contact", ids=[record], set={"Department": unwanted})
    time.sleep(2.2)
    with Count(small) as count:
        assert unwanted in LOOKS[look](mount, record)
    assert count.calls <= 3, count.by_kind


@pytest.mark.parametrize("option", ["rw", "ro"])
def test_new_sizes_and_times_are_seen_after_ttl(stage, small, option):
    mount = stage.mount(small, option, "ttl=2")
    record = small.ids("Contact")[8]
    path = mount.record("Contact", record)
    output("ls", "-l", mount.path("Contact"))
    before = os.stat(path)
    small.change("Contact", ids=[record], set={"Department": "x" * (20 if option == "rw" else 40)})
    time.sleep(2.2)
    with Count(small) as count:
        lines = output("ls", "-l", "--time-style=+%s", mount.path("Contact")).splitlines()
    assert count.calls <= 3, count.by_kind
    _, _, _, _, size, seconds, _ = next(line for line in lines if record in line).split()
    assert int(size) == len(read(path)) != before.st_size
    assert int(seconds) > before.st_mtime and int(seconds) > time.time() - 60


@pytest.mark.parametrize("option", ["rw", "ro"])
def test_deleted_and_new_names_are_seen_after_ttl(stage, option):
    org = stage.org()
    mount = stage.mount(org, option, "ttl=2")
    gone, stays = org.ids("Contact")[3], org.ids("Contact")[4]
    output("ls", "-l", mount.path("Contact"))
    output("cat", mount.record("Contact", gone))
    org.delete("Contact", ids=[gone])
    new = org.create("Contact", LastName="Newcomer")
    time.sleep(2.2)
    with Count(org) as count:
        done = run("cat", gone + ".json", cwd=mount.path("Contact"))
        assert done.returncode == 1 and "No such file" in done.stderr
        names = ids(os.listdir(mount.path("Contact")))
    assert count.calls <= 3, count.by_kind
    assert gone not in names and stays in names and new in names
    assert load(mount.record("Contact", new))["LastName"] == "Newcomer"


def test_within_ttl_the_old_content_is_served_without_a_call(stage, small):
    mount = stage.mount(small, "ttl=60")
    record = small.ids("Contact")[9]
    before = read(mount.record("Contact", record))
    small.change("Contact", ids=[record], set={"Department": "not seen yet"})
    with Count(small) as count:
        assert read(mount.record("Contact", record)) == before
    assert count.calls == 0


# single records

def test_one_cold_record_costs_two_calls(stage, org):
    with Count(org) as first:
        mount = stage.mount(org)
        output("cat", mount.record("Account", org.ids("Account")[0]))
    assert first.calls <= 3, first.by_kind
    with Count(org) as second:
        output("cat", mount.record("Account", org.ids("Account")[1]))
    assert second.calls <= 2, second.by_kind
    with Count(org) as again:
        output("cat", mount.record("Account", org.ids("Account")[1]))
    assert again.calls == 0, again.by_kind


def test_200_parallel_cats_of_cold_records_are_gathered(stage, org):
    mount = stage.mount(org, "ttl=600")
    chosen = org.ids("Account", limit=200, offset=5000)
    held, release = os.pipe()  # all start reading when it closes
    cats = [subprocess.Popen(["sh", "-c", 'read word; exec cat "$1"', "sh", mount.record("Account", record)], stdin=held,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True) for record in chosen]
    os.close(held)
    with Count(org) as count:
        os.close(release)
        texts = [cat.communicate(timeout=60) for cat in cats]
    assert all(cat.returncode == 0 for cat in cats), [text[1] for text in texts if text[1]][:3]
    assert all('"Id": "%s"' % record in text[0] for record, text in zip(chosen, texts))
    assert count.calls < 20, count.by_kind


def test_many_programs_that_open_a_cold_directory_cause_one_listing(stage, org):
    mount = stage.mount(org, "ttl=600")
    with Count(org) as count:
        lists = [start("ls", mount.path("Account"), stdout=subprocess.DEVNULL) for _ in range(30)]
        assert [one.wait(timeout=60) for one in lists] == [0] * 30
    assert count.calls <= math.ceil(RECORDS / PAGE) + 3, count.by_kind


def test_impossible_names_cost_nothing(stage, org):
    mount = stage.mount(org, "ttl=600")
    good = org.ids("Account")[0]
    names = [".git", ".svn", ".hg", ".dir-locals.el", ".editorconfig", "desktop.ini", "Thumbs.db", "tags", "4913"]
    names += ["%s.json.swp" % good, ".%s.json.swp" % good, good + ".json~", good + ".xml", good, good[:17] + ".json"]
    names += ["%s%05d.json" % (good[:9], number) + "x" * (number % 3) for number in range(300)]
    names += ["003%s.json" % good[3:15]] + ["%s%s.json" % (good[:15], end) for end in ("AAA", "BBB", "ZZZ", "999", "..")
                                            if end != good[15:]]
    names += ["%03d%s" % (number, good[3:]) for number in range(700)]
    impossible = [name for name in names if name != good + ".json"][:1000]
    with Count(org) as count:
        for name in impossible:
            with pytest.raises(FileNotFoundError):
                os.stat(mount.path("Account", name))
        for name in (".git", ".Trash", "autorun.inf", "HEAD", ".hidden", "lost+found"):
            with pytest.raises(FileNotFoundError):
                os.stat(mount.path(name))
    assert len(impossible) == 1000 and count.calls == 0, count.by_kind


def test_a_record_that_is_not_there_is_asked_for_once(stage, small):
    mount = stage.mount(small, "ttl=600")
    gone = small.ids("Contact")[-1]
    small.delete("Contact", ids=[gone])
    assert run("cat", mount.record("Contact", gone)).returncode == 1
    with Count(small) as count:
        assert run("cat", mount.record("Contact", gone)).returncode == 1
    assert count.calls == 0, count.by_kind


# listings

def test_a_cold_ls_of_the_root_costs_one_call(stage, org):
    with Count(org) as count:
        mount = stage.mount(org)
        output("ls", mount.dir)
    assert count.calls == 1, count.by_kind
    with Count(org) as count:
        output("ls", "-l", mount.dir)
    assert count.calls == 0, count.by_kind


def test_who_reads_five_names_of_a_million_fetches_no_million(stage):
    org = stage.org(records={"Account": 1000000})
    mount = stage.mount(org)
    with Count(org) as count:
        names = subprocess.run("ls -U '%s' | head -5" % mount.path("Account"), shell=True, env=ENV, timeout=60,
                               stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
        time.sleep(1)
    assert len(names) == 5 and count.calls <= 4, count.by_kind


def test_a_remount_shows_what_it_knows_at_once(stage, small):
    mount = stage.mount(small, "ttl=600")
    names, text = os.listdir(mount.path("Contact")), read(mount.record("Contact", small.ids("Contact")[0]))
    mount.umount()
    small.latency(4000)
    try:
        _, seconds = timed(mount.start)
        assert seconds < 3
        found, seconds = timed(os.listdir, mount.path("Contact"))
        assert sorted(found) == sorted(names) and seconds < 1
        again, seconds = timed(read, mount.record("Contact", small.ids("Contact")[0]))
        assert again == text and seconds < 1
    finally:
        small.latency(0)


def test_df_and_status_cost_one_call_in_a_while(stage, small):
    mount = stage.mount(small, "ttl=600")
    with Count(small) as count:
        for _ in range(3):
            output("df", mount.dir)
            read(mount.path(".forcefs", "limits.json"))
            mount.status()
    assert count.calls <= 1, count.by_kind
