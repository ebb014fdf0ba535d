# SPDX-License-Identifier: MIT
"""The README's first session and its recipes as they stand there, on mounts of the practice org."""
import os
import re
import shutil
import subprocess

import pytest

from mounts import ROOT, program, settings_of, wait_until

TOOLS = ("diff", "find", "git", "grep", "jq", "rsync")


def recipes():
    """{first words of the sentence before a block: the block}"""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        part = file.read().split("\n## Recipes\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^|\n\n)([^`\n][^\n]*(?:\n[^\n]+)*)\n\n```sh\n(.*?)```", part, re.DOTALL)
    return {re.split(r"[,;:(]", text)[0]: block for text, block in found}


@pytest.fixture
def orgs(stage):
    """(practice orgs acme and acme-test with the same records, a function that runs a recipe)"""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        pytest.skip("not installed: %s" % " ".join(missing))
    acme, sandbox = stage.org(), stage.org()
    home = stage.home()
    home.write_settings(**{"acme": settings_of(acme, ttl="2"), "acme-test": settings_of(sandbox, ttl="2")})
    tools = os.path.join(home.folder, "bin")
    os.mkdir(tools)
    os.symlink(program(), os.path.join(tools, "forcefs"))
    for name in ("acme", "acme-test"):
        os.mkdir(os.path.join(home.home, name))
        home.mount(org=name, dir=os.path.join(home.home, name))
    with open(os.path.join(home.home, ".gitconfig"), "w", encoding="ascii") as file:
        file.write("[user]\n\tname = Ann\n\temail = ann@example.com\n[safe]\n\tdirectory = *\n")
    env = dict(home.env, PATH="%s:%s" % (tools, os.environ["PATH"]))

    def recipe(start, status=0):
        block = next(text for name, text in recipes().items() if name.startswith(start))
        done = subprocess.run(["bash", "-euc", block], env=env, cwd=home.home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
        assert done.returncode == status, (block, done.returncode, done.stdout, done.stderr)
        return done.stdout
    return acme, sandbox, recipe, home.home


def values(org, field):
    return {id: org.record("Account", id).get(field) for id in org.ids("Account", limit=200)}


def test_every_recipe_of_the_readme_is_tested():
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    assert len(recipes()) == 6
    for name in recipes():
        assert re.search(r'recipe\("%s' % re.escape(name.split()[0]), source), name


def test_every_account_without_a_phone(orgs):
    acme, _, recipe, _ = orgs
    found = [line.split("\t")[0] for line in recipe("Every Account").splitlines()]
    without = [id for id, phone in values(acme, "Phone").items() if phone is None]
    assert without and sorted(found) == sorted(without)


def test_a_picklist_is_changed_in_many_records(orgs):
    acme, _, recipe, _ = orgs
    some = acme.ids("Account", limit=5)
    acme.change("Account", ids=some, set={"Industry": "Telecommunications"})
    before = values(acme, "Industry")
    acme.reset_log()
    assert recipe("Change a picklist") == ""
    after = values(acme, "Industry")
    expected = {id: "Technology" if old == "Telecommunications" else old for id, old in before.items()}
    assert after == expected and "Telecommunications" in before.values()
    written = [call for call in acme.log() if call["method"] in ("PATCH", "POST", "DELETE") and call["counted"]
               and call["kind"] not in ("query", "composite", "retrieve")]
    assert len(written) <= list(before.values()).count("Telecommunications")


def test_an_org_is_compared_with_its_sandbox(orgs):
    acme, sandbox, recipe, _ = orgs
    changed = sandbox.ids("Account", limit=3)[2]
    sandbox.change("Account", ids=[changed], set={"Name": "Only In The Sandbox"})
    shown = recipe("Compare an org", status=1)
    assert re.findall(r"^> .*", shown, re.MULTILINE) == ['>   "Name": "Only In The Sandbox",'], shown
    assert shown.count("diff -r") == 1 and changed in shown


def test_git_shows_what_has_changed(orgs):
    acme, _, recipe, home = orgs
    assert recipe("Put an object under git") == ""
    changed, deleted = acme.ids("Account", limit=2)
    acme.change("Account", ids=[changed], set={"Name": "Renamed Overnight"})
    acme.delete("Account", ids=[deleted])
    wait_until(lambda: deleted + ".json" not in os.listdir(os.path.join(home, "acme", "Account")))
    mark = acme.mark()
    shown = recipe("The next day")
    assert "2 files changed" in shown, shown
    assert '+  "Name": "Renamed Overnight",' in shown and "deleted file" in shown
    assert acme.counts(since=mark)["counted"] <= 10  # one for each ttl that it takes


def test_a_backup_keeps_what_was_deleted(orgs):
    acme, _, recipe, home = orgs
    recipe("A nightly backup")
    copied = os.listdir(os.path.join(home, "backup", "acme", "Account"))
    assert sorted(copied) == sorted(os.listdir(os.path.join(home, "acme", "Account")))
    gone = acme.ids("Account", limit=1)[0]
    acme.delete("Account", ids=[gone])
    wait_until(lambda: gone + ".json" not in os.listdir(os.path.join(home, "acme", "Account")))
    recipe("A nightly backup")
    assert gone + ".json" not in os.listdir(os.path.join(home, "backup", "acme", "Account"))
    [day] = [name for name in os.listdir(os.path.join(home, "backup")) if name != "acme"]
    assert os.listdir(os.path.join(home, "backup", day, "Account")) == [gone + ".json"]


def test_the_first_session(stage):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        block = file.read().split("```console\n")[1].split("```")[0]
    if not shutil.which("jq"):
        pytest.skip("not installed: jq")
    home = stage.home()
    tools = os.path.join(home.folder, "bin")
    os.mkdir(tools)
    os.symlink(program(), os.path.join(tools, "forcefs"))
    env = dict(home.env, PATH="%s:%s" % (tools, os.environ["PATH"]))
    lines = [line[2:] for line in block.splitlines() if line.startswith("$ ") and not line.startswith("$ vim ")]
    script = "forcefs demo ~/forcefs-demo >&2\n" + "".join("%s || echo FAILED >&2\n" % line for line in lines)
    done = subprocess.run(["bash", "-c", script], env=env, cwd=home.home, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
    assert "FAILED" not in done.stderr and "forcefs: " not in done.stderr, done.stderr
    for shown in re.findall(r"^(?:total|\{).*$", block, re.MULTILINE):
        assert shown in done.stdout.splitlines(), done.stdout
    assert "saves      2 done, 0 failed" in done.stdout and home.mountpoints() == []
