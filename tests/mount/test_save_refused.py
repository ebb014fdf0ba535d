# SPDX-License-Identifier: MIT
"""Saves that fail: nothing is lost, the program is told, and every place that explains says the same."""
import errno
import json
import os
import subprocess

import pytest

from clients import ENV, load, need, read, run, shell
from mounts import wait_until
from saving import save
from test_save_editors import Vim

DEEP = '{"Phone": ' + "[" * 5000 + "]" * 5000 + "}"


# refused here, before anything is sent: what, the errno, and what the text names

HERE = {
    "a read-only field": (lambda page: page.text(CreatedDate="2001-01-01T00:00:00.000+0000"), errno.EACCES, ["CreatedDate"]),
    "the Id": (lambda page: page.text(Id="001000000000000AAA"), errno.EINVAL, ["Id"]),
    "an unknown field": (lambda page: '{"Phones": "1"}', errno.EINVAL, ["Phones", "Phone", "line 1"]),
    "a wrong type": (lambda page: page.text(NumberOfEmployees="many"), errno.EINVAL, ["NumberOfEmployees", "number"]),
    "a text too long": (lambda page: page.text(AccountNumber="1" * 41), errno.EINVAL, ["AccountNumber", "41", "40"]),
    "a required field cleared": (lambda page: page.text(Name=None), errno.EINVAL, ["Name", "empty"]),
    "a key given twice": (lambda page: '{"Phone": "1",\n "Phone": "2"}', errno.EINVAL, ["Phone", "line 2"]),
    "a comma too many": (lambda page: '{\n  "Phone": "1",\n}', errno.EINVAL, ["line 2", "comma"]),
    "a quote too few": (lambda page: '{\n  "Phone": "1,\n  "Site": "x"\n}', errno.EINVAL, ["line 2"]),
    "no object": (lambda page: '["Phone"]', errno.EINVAL, ["object"]),
    "half of it": (lambda page: page.before.decode()[:200], errno.EINVAL, ["line"]),
    "nested for ever": (lambda page: DEEP, errno.EINVAL, ["nest"]),
    "NUL bytes": (lambda page: "\0" * 300, errno.EINVAL, ["empty"]),
    "white space": (lambda page: "\n \n", errno.EINVAL, ["empty"]),
}


@pytest.mark.parametrize("name", HERE)
def test_refused_before_anything_is_sent(page, name):
    make, expected, words = HERE[name]
    text = make(page)
    assert save(page.path, text) == expected
    found = page.refused(*words, text=text)
    assert found["errno"] == errno.errorcode[expected]


def test_a_save_too_big_fails_while_it_is_written(page):
    fd = os.open(page.path, os.O_WRONLY | os.O_TRUNC)
    with pytest.raises(OSError) as caught:
        for _ in range(80):
            os.write(fd, b" " * (1 << 20))
    assert caught.value.errno == errno.EFBIG
    with pytest.raises(OSError):
        os.close(fd)
    assert page.writes() == []
    assert wait_until(lambda: read(page.path) == page.before, 5)


def test_what_was_written_is_not_in_the_log(desk):
    """Neither in our own words nor in Salesforce's; who saves is told all of it."""
    page, invoice = desk.page(), desk.record("Invoice__c", 7)
    assert save(page.path, page.text(NumberOfEmployees="many")) == errno.EINVAL
    assert save(page.path, '{"hush-hush": 1}') == errno.EINVAL
    page.refused("hush-hush")
    assert save(invoice.path, invoice.text(Status__c="Hush-hush")) == errno.EINVAL
    invoice.refused("Hush-hush", sent=True)
    shown = desk.mount.stderr()
    assert "save Account/%s.json: failed" % page.id in shown and "save Invoice__c/%s.json: failed" % invoice.id in shown
    assert "hush" not in shown.lower()


# refused by Salesforce

def invoice(desk, index):
    return desk.record("Invoice__c", index)


THERE = {
    "a validation rule": ("Account", {"AnnualRevenue": -5000000}, errno.EINVAL,
                          ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "approval of finance", "AnnualRevenue"]),
    "a restricted picklist": ("Invoice__c", {"Status__c": "Nearly"}, errno.EINVAL,
                              ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Nearly", "Status__c"]),
    "a rule about two fields": ("Invoice__c", {"Due__c": "1990-01-01"}, errno.EINVAL,
                                ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "before it is issued"]),
    "a duplicate": ("Invoice__c", {"Number__c": "2025-000001"}, errno.EEXIST, ["DUPLICATE_VALUE", "Number__c"]),
    "an address": ("Contact", {"Email": "not an address"}, errno.EINVAL, ["INVALID_EMAIL_ADDRESS", "Email"]),
}


@pytest.mark.parametrize("index, name", enumerate(THERE, 1))
def test_refused_by_the_org(desk, index, name):
    object_name, change, expected, words = THERE[name]
    page = desk.page() if object_name == "Account" else desk.record(object_name, index)
    text = page.text(**change)
    assert save(page.path, text) == expected
    found = page.refused(*words, sent=True, text=text)
    assert found["code"] == words[0]


def test_cp_and_sed_and_mv_exit_with_an_error(page):
    new = page.outside("new.json", AnnualRevenue=-5000000)
    words = os.strerror(errno.EINVAL)
    for line in (["cp", new, page.path], ["sed", "-i", 's|"AnnualRevenue": .*|"AnnualRevenue": -5000000,|', page.path]):
        done = run(*line)
        assert done.returncode != 0 and words in done.stderr, (line, done)
        page.refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "approval of finance", sent=True)
    done = run("mv", new, page.path)
    assert done.returncode != 0 and words in done.stderr, done
    page.refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", sent=True)


@pytest.mark.parametrize("options", [[], ["-c", "set backupcopy=yes"], ["-c", "set nowritebackup nobackup", "-n"]],
                         ids=["as it comes", "backupcopy=yes", "no writebackup"])
def test_vim_is_told_keeps_the_text_and_can_save_it_mended(page, tmp_path, options):
    need("vim")
    folder = tmp_path / "person"
    folder.mkdir()
    with Vim(folder, page, options) as vim:
        vim.command('%s#"AnnualRevenue": .*#"AnnualRevenue": -5000000,#')
        assert vim.write() != "written", vim.screen()
        assert wait_until(lambda: len(page.writes()) == 1, 5)
        vim.keys("Enter", "Escape")
        vim.command('%s#"AnnualRevenue": .*#"AnnualRevenue": 5,#')
        vim.command("redraw!")
        assert vim.write("w!") == "written", vim.screen()
        assert vim.quit() == 0
    assert [(write.method, write.body, write.status) for write in page.writes()] == [
        ("PATCH", {"AnnualRevenue": -5000000}, 400), ("PATCH", {"AnnualRevenue": 5}, 204)]
    page.is_true()
    if options[-1:] == ["set backupcopy=yes"]:
        os.unlink(page.path + "~")  # vim keeps the backup of a save that failed, here as everywhere
    page.is_tidy()


def test_one_field_refused_by_hand_then_accepted(page):
    assert save(page.path, page.text(AnnualRevenue=-5000000)) == errno.EINVAL
    assert wait_until(lambda: read(page.path) == page.before, 5)
    assert save(page.path, page.text(AnnualRevenue=5)) == 0
    page.is_true()
    assert load(page.path)["AnnualRevenue"] == 5


def test_the_shell_builtin_that_does_not_look_leaves_a_trace(page):
    """echo of a shell never sees the error of close: the text and the reason are kept all the same."""
    subprocess.run(["bash", "-c", 'echo \'{"Nope": 1}\' >"$R"'], env=dict(ENV, R=page.path), timeout=60)
    page.refused("Nope", text='{"Nope": 1}\n')


def test_kept_texts_can_be_removed(page):
    assert save(page.path, '{"Nope": 1}') == errno.EINVAL
    assert wait_until(page.rejected, 5)
    folder = page.mount.path(".forcefs", "rejected")
    for name in os.listdir(folder):
        if page.id in name:
            os.unlink(os.path.join(folder, name))
    assert page.rejected() == []


# what may not be written is refused at open

def open_errno(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error.errno
    return 0


WRITING = [os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND]


def test_an_object_that_cannot_be_updated_refuses_at_open(desk):
    page = desk.record("ReadOnly__c")
    assert os.stat(page.path).st_mode & 0o222 == 0
    assert not os.access(page.path, os.W_OK) or os.geteuid() == 0
    for flags in WRITING:
        assert open_errno(page.path, flags) == errno.EACCES
    assert open_errno(os.path.join(page.dir, ".x.swp"), os.O_WRONLY | os.O_CREAT) == errno.EACCES
    page.untouched()


@pytest.mark.parametrize("option", ["ro", "allow=none"])
def test_a_read_only_mount_refuses_at_open(stage, option):
    org = stage.org(records={"Account": 3})
    mount = stage.mount(org, option)
    path = mount.record("Account", org.ids("Account")[0])
    before, mark = read(path), org.mark()
    for flags in WRITING:
        assert open_errno(path, flags) == errno.EROFS
    assert open_errno(mount.path("Account", "x"), os.O_WRONLY | os.O_CREAT) == errno.EROFS
    assert read(path) == before
    assert not [call for call in org.log(since=mark) if call["method"] not in ("GET", "POST") or call.get("parts")]


def test_vim_says_so_before_the_person_types(stage, tmp_path):
    need("vim")
    org = stage.org(records={"Account": 3})
    mount = stage.mount(org, "ro")
    done = run("vim", "-es", "-u", "NONE", "-c", "verbose set readonly?", "-c", "qa!",
               mount.record("Account", org.ids("Account")[0]))
    assert "noreadonly" not in done.stdout + done.stderr and "readonly" in done.stdout + done.stderr, done


# rm

def test_rm_rf_removes_nothing_and_says_so(stage):
    org = stage.org(records={"Account": 30})
    mount = stage.mount(org, "objects=Account\\,Contact\\,Invoice__c")
    names, mark = sorted(os.listdir(mount.path("Account"))), org.mark()
    first = os.path.join(mount.path("Account"), names[0])
    for words in (["rm", "-rf", mount.path("Account")], ["rm", "-rf", mount.dir], ["rm", "-f", first],
                  ["find", mount.dir, "-name", "*.json", "-delete"], ["unlink", first]):
        done = run(*words)
        assert done.returncode != 0 and os.strerror(errno.EPERM) in done.stderr, (words, done)
        assert sorted(os.listdir(mount.path("Account"))) == names
    kinds = {call["kind"] for call in org.log(since=mark)}
    assert not kinds & {"delete", "update", "create", "collections_write"}, kinds
    assert not [call for call in org.log(since=mark) for part in call.get("parts", []) if part["method"] != "GET"]
    assert len(org.ids("Account")) == 30


def test_gzip_and_mv_away_leave_the_record(page):
    need("gzip")
    done = run("gzip", page.path)
    assert done.returncode != 0
    done = run("mv", page.path, os.path.join(page.mount.home.folder, "stolen.json"))
    assert done.returncode != 0 or os.path.exists(page.path)
    if os.path.exists(page.path + ".gz"):
        os.unlink(page.path + ".gz")
    assert page.writes() == []
    assert wait_until(lambda: os.path.exists(page.path), 10)
    assert read(page.path) == page.before


def test_errors_are_listed_as_json_lines(page):
    assert save(page.path, '{"Nope": 1}') == errno.EINVAL
    lines = read(page.mount.path(".forcefs", "errors.ndjson")).decode().splitlines()
    last = [json.loads(line) for line in lines][-1]
    assert last["path"].endswith(os.path.basename(page.path)) and "Nope" in last["text"]
    assert "Nope" in shell("jq -r .text '%s' | tail -1" % page.mount.path(".forcefs", "errors.ndjson"))
