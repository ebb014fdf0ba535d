# SPDX-License-Identifier: MIT
"""forcefs status: of mounts without a call, of an org with one."""
import json
import os
import signal
import threading
import time

from mounts import settings_of, wait_until

ORG = "status-%d" % os.getpid()  # mounts are found by their org's name, and others may run tests here too


def home_of(stage, org, **settings):
    home = stage.home()
    home.write_settings(**{ORG: settings_of(org, **settings)})
    return home


def status(home, *words):
    done = home.command("status", *words)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def status_json(home, *words):
    return json.loads(status(home, "--json", *words))


def test_a_mount_is_told_without_a_call(stage):
    org = stage.org(quota=1000, used=300)
    mount = stage.mount(org, "ttl=600")
    os.listdir(mount.path("Account"))
    before = org.mark()
    text = status(mount.home, mount.dir)
    assert org.counts(before)["calls"] == 0
    assert text.startswith("acme on %s\n" % mount.dir)
    for words in (org.user_id, org.url, "3 by this mount", "303 of 1,000 used, 697 left", "30 % of the day's budget",
                  "fewer than 200 are left", "network    online", "0 done, 0 failed, 0 in progress"):
        assert words in text, (words, text)
    assert [line for line in text.splitlines() if line.startswith("  Account ") and "checked" in line]
    assert "\n  last errors" not in text
    assert not any(token in text for token in mount.home.tokens())


def test_any_path_in_it_and_its_org_mean_the_mount(stage):
    org = stage.org()
    mount = home_of(stage, org).mount(org=ORG)
    before = org.mark()
    pages = [status_json(mount.home, *words) for words in ([mount.dir], [mount.path("Account", "x.json")], [ORG])]
    assert all(page["mountpoint"] == mount.dir and page["state"] == "mounted" for page in pages)
    done = mount.home.command("status", "--json", os.path.basename(mount.dir), cwd=mount.home.folder)
    assert json.loads(done.stdout)["pid"] == mount.pid
    assert org.counts(before)["calls"] == 0


def test_without_an_argument_all_mounts_are_told(stage):
    org = stage.org()
    home = home_of(stage, org)
    mounts = [home.mount("cache_dir=memory", org=ORG) for _ in range(2)]
    # The machine may have other mounts, dead ones too: the exit status is about all of them.
    found = {page["mountpoint"]: page for page in json.loads(home.command("status", "--json").stdout)}
    assert all(found[mount.dir]["pid"] == mount.pid for mount in mounts)
    assert isinstance(status_json(home, ORG), list), "an org that is mounted twice"
    text = home.command("status").stdout
    assert all("%s on %s\n" % (ORG, mount.dir) in text for mount in mounts)
    assert "in memory" in text


def test_saves_and_errors_are_counted(stage):
    org = stage.org()
    mount = stage.mount(org)
    record = mount.record("Account", org.ids("Account")[0])
    with open(record, encoding="utf-8") as file:
        text = file.read()

    def save(changed):
        with open(record, "w", encoding="utf-8") as file:
            file.write(changed)
    values = json.loads(text)
    save(json.dumps(dict(values, Phone="1")))
    try:
        save("this is no JSON")
    except OSError:
        pass
    page = status_json(mount.home, mount.dir)
    assert page["saves"] == {"done": 1, "failed": 1, "in_progress": 0}
    assert page["errors"] >= 1 and page["last_errors"][0]["errno"] == "EINVAL"
    text = status(mount.home, mount.dir)
    assert "1 done, 1 failed" in text and "last errors" in text


def test_a_save_on_its_way_shows(stage):
    org = stage.org()
    mount = stage.mount(org, "timeout=20")
    record = mount.record("Account", org.ids("Account")[0])
    with open(record, encoding="utf-8") as file:
        values = json.load(file)
    org.control("faults", [{"match": {"kind": ["update", "composite", "collections_write"]}, "times": -1, "do": "stall"}])

    def save():
        try:
            with open(record, "w", encoding="utf-8") as file:
                json.dump(dict(values, Phone="1"), file)
        except OSError:
            pass
    saving = threading.Thread(target=save)
    saving.start()
    try:
        assert wait_until(lambda: status_json(mount.home, mount.dir)["saves"]["in_progress"] == 1)
    finally:
        os.kill(mount.pid, signal.SIGTERM)
        saving.join()
        mount.process.wait()


def test_a_long_listing_shows_where_it_is(stage):
    org = stage.org(records={"Account": 10000}, latency_ms=300)
    mount = stage.mount(org, "ttl=600")
    listing = threading.Thread(target=os.listdir, args=[mount.path("Account")])
    listing.start()
    seen = []

    def somewhere():
        pages = [page for page in status_json(mount.home, mount.dir)["objects"] if page["name"] == "Account"]
        seen.extend(page["listing"] for page in pages)
        return seen and seen[-1] and seen[-1]["total"] and 0 < seen[-1]["records"] < 10000
    assert wait_until(somewhere, step=0.1)
    assert seen[-1]["total"] == 10000 and seen[-1]["running"] is True
    listing.join()
    page = status_json(mount.home, mount.dir)["objects"][0]
    assert page["listing"] is None and page["complete"] and page["records"] == 10000


def test_a_dead_mount_is_a_failure(stage):
    mount = stage.mount(stage.org())
    mount.kill()
    done = mount.home.command("status", mount.dir)
    assert done.returncode == 1 and done.stdout == ""
    assert "the process behind %s is gone; forcefs umount" % mount.dir in done.stderr
    done = mount.home.command("status", "--json", mount.dir)
    assert done.returncode == 1 and json.loads(done.stdout)["state"] == "dead"


def test_an_org_offline_is_marked(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    os.listdir(mount.path("Account"))
    org.stop()
    assert wait_until(lambda: os.listdir(mount.path("Account")) and
                      status_json(mount.home, mount.dir)["network"]["state"] == "offline")
    assert "OFFLINE since" in status(mount.home, mount.dir)


def test_an_org_that_is_not_mounted_costs_one_call(stage):
    org = stage.org(quota=1000, used=300)
    home = home_of(stage, org)
    before = org.mark()
    page = status_json(home, ORG)
    counts = org.counts(before)
    assert counts["counted"] == 1 and counts["by_kind"].get("limits") == 1
    assert page["state"] == "not mounted" and page["api"]["max"] == 1000 and page["api"]["used"] >= 300
    assert org.user_id in page["identity"] and org.username in page["identity"] and page["instance_url"] == org.url
    text = status(home, ORG)
    assert text.startswith(ORG + ", not mounted\n") and "log-in     works" in text
    assert not any(token in text for token in home.tokens())


def test_an_org_that_cannot_be_asked_is_a_failure(stage):
    org = stage.org()
    home = home_of(stage, org, refresh_token="wrong")
    done = home.command("status", ORG)
    assert done.returncode == 1 and "invalid_grant" in done.stderr and done.stdout == ""
    done = home.command("status", "--json", ORG)
    page = json.loads(done.stdout)
    assert done.returncode == 1 and page["state"] == "no answer" and "invalid_grant" in page["error"]
    done = home.command("status", ORG + "x")
    assert done.returncode == 1 and "did you mean %s?" % ORG in done.stderr
    done = home.command("status", home.folder)
    assert done.returncode == 1 and "does not lie in a forcefs mount" in done.stderr
    assert home.command("status", "a", "b").returncode == 2
    assert home.command("status", "--quux").returncode == 2


def test_not_even_a_stale_list_of_objects_is_asked_for(stage):
    org = stage.org()
    options = ["ttl=1"] + (["allow_other"] if os.geteuid() == 0 else [])
    mount = stage.mount(org, *options)
    os.listdir(mount.dir)
    os.listdir(mount.path("Account"))
    time.sleep(1.2)  # past ttl
    before = org.mark()
    status(mount.home, mount.dir)
    assert org.counts(before)["calls"] == 0
