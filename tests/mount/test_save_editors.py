# SPDX-License-Identifier: MIT
"""Editors in a terminal, as a person drives them: each save is one update of one field."""
import os
import shutil
import subprocess

import pytest

from clients import load, need, read
from mounts import wait_until
from saving import Terminal, editor_env

NO_BACKUP_SKIPPED = ["--cmd", "set backupskip="]
VIMS = {
    "as it comes": [],
    "backupcopy=yes": ["-c", "set backupcopy=yes"],
    "backupcopy=no": ["-c", "set backupcopy=no"],
    "no writebackup, no swap": ["-c", "set nowritebackup nobackup", "-n"],
    "no backup": ["-c", "set nobackup"],
    "no fsync": ["-c", "set nofsync"],
    "swap file elsewhere": ["-c", "set directory=/tmp"],
    "undo file": ["-c", "set undofile"],
}
PHONE = 's#"Phone": .*#"Phone": "%s",#'


@pytest.fixture
def folder(page, tmp_path):
    """The home of the person at the terminal."""
    (tmp_path / "person").mkdir()
    return tmp_path / "person"


class Vim(Terminal):
    def __init__(self, folder, page, options=()):
        super().__init__(folder, "vim", *NO_BACKUP_SKIPPED, *options, page.path)
        self.wait_for('"Id": "%s"' % page.id)

    def command(self, text):
        self.keys("Escape", ":" + text, "Enter")

    def phone(self, value):
        self.command("%" + PHONE % value)

    def write(self, command="w"):
        """What vim says of it: "written", or the number of its error."""
        self.command(command)
        return self.wait_for("B written", "E212", "E514", "E512", "E667", "E72:", "E949", "Fsync failed").split()[-1]

    def quit(self, command="q"):
        self.command(command)
        return self.wait_end()


# vim

@pytest.mark.parametrize("name", VIMS)
def test_vim(page, folder, name):
    need("vim")
    with Vim(folder, page, VIMS[name]) as vim:
        vim.phone("1")
        assert vim.write() == "written"
        page.told({"Phone": "1"})
        assert vim.quit() == 0
    left = [os.path.basename(page.path).join((".", ".un~"))] if name == "undo file" else []
    page.saved({"Phone": "1"}, left=left)
    for other in left:
        os.unlink(os.path.join(page.dir, other))


def test_vim_keeps_a_backup_where_it_was_told_to(page, folder):
    need("vim")
    with Vim(folder, page, ["-c", "set backup"]) as vim:
        vim.phone("1")
        assert vim.write() == "written"
        assert vim.quit() == 0
    backup = os.path.basename(page.path) + "~"
    page.saved({"Phone": "1"}, left=[backup])
    assert read(os.path.join(page.dir, backup)) == page.before
    os.unlink(os.path.join(page.dir, backup))


@pytest.mark.parametrize("name", ["as it comes", "backupcopy=yes", "no writebackup, no swap"])
def test_vim_saves_twice_in_one_session(page, folder, name):
    """Other fields, then the same one again: what the editor wrote first is what its next text is based on."""
    need("vim")
    with Vim(folder, page, VIMS[name]) as vim:
        vim.phone("1")
        assert vim.write() == "written"
        page.told({"Phone": "1"})
        vim.keys("Escape", "Escape")
        vim.command('%s#"AccountNumber": .*#"AccountNumber": "here",#')
        vim.command("redraw!")
        assert vim.write() == "written"
        assert wait_until(lambda: len(page.writes()) >= 2, 5), vim.screen()
        vim.phone("2")
        vim.command("redraw!")
        assert vim.write() == "written"
        assert wait_until(lambda: len(page.writes()) >= 3, 5), vim.screen()
        assert vim.quit() == 0
    page.saved({"Phone": "1"}, {"AccountNumber": "here"}, {"Phone": "2"})


@pytest.mark.parametrize("name", ["as it comes", "backupcopy=yes"])
def test_vim_saves_the_same_field_ten_times(page, folder, name):
    need("vim")
    with Vim(folder, page, VIMS[name]) as vim:
        for number in range(10):
            vim.phone(number)
            vim.command("w")
            assert wait_until(lambda: len(page.writes()) == number + 1, 5), vim.screen()
        assert vim.quit() == 0
    page.saved(*[{"Phone": str(number)} for number in range(10)])


def test_vim_goes_back_to_the_first_text(page, folder):
    """Undone and saved again: the field has its first value again."""
    need("vim")
    first = load(page.path)["Phone"]
    with Vim(folder, page) as vim:
        vim.phone("1")
        assert vim.write() == "written"
        page.told({"Phone": "1"})
        vim.keys("Escape", "u")
        vim.command("w")
        assert wait_until(lambda: len(page.writes()) == 2, 5), vim.screen()
        assert vim.quit() == 0
    page.saved({"Phone": "1"}, {"Phone": first})


@pytest.mark.parametrize("command", ["w", "w!", "up", "wq!", "x!"])
def test_vim_saves_without_a_change(page, folder, command):
    need("vim")
    with Vim(folder, page) as vim:
        vim.command(command)
        if command[0] == "w" and "q" not in command:
            vim.wait_for("B written")
        vim.command("q")
        assert vim.wait_end() == 0
    page.untouched()
    page.is_true()


@pytest.mark.parametrize("command", ["w!", "wq", "x", "wa"])
def test_vim_by_other_words(page, folder, command):
    need("vim")
    with Vim(folder, page) as vim:
        vim.phone("1")
        vim.command(command)
        vim.command("q")
        assert vim.wait_end() == 0
    page.saved({"Phone": "1"})


def test_vim_sees_what_the_org_made_of_it(page, folder):
    """After :e the text has the org's stamps, and the next save is based on that."""
    need("vim")
    with Vim(folder, page) as vim:
        vim.phone("  1  ")
        assert vim.write() == "written"
        vim.command("e!")
        assert wait_until(lambda: '"Phone": "1"' in vim.screen(), 5), vim.screen()
        vim.command('%s#"AccountNumber": .*#"AccountNumber": "here",#')
        vim.command("w")
        assert wait_until(lambda: len(page.writes()) == 2, 5), vim.screen()
        assert vim.quit() == 0
    page.saved({"Phone": "  1  "}, {"AccountNumber": "here"})


def test_vim_reads_its_own_file_again(page, folder):
    need("vim")
    with Vim(folder, page) as vim:
        vim.phone("1")
        assert vim.write() == "written"
        vim.command("checktime")
        assert wait_until(lambda: '"Phone": "1"' in vim.screen(), 5)
        assert vim.quit("q!") == 0
    page.saved({"Phone": "1"})


def test_vim_gives_up(page, folder):
    need("vim")
    with Vim(folder, page) as vim:
        vim.phone("1")
        assert vim.quit("q!") == 0
    page.untouched()


def test_vim_is_killed(page, folder):
    """Its swap file stays, as on every disk, and nothing reaches the org; vim -r has the text."""
    need("vim")
    with Vim(folder, page) as vim:
        vim.phone("1")
        vim.command("preserve")
        vim.wait_for("preserved")
    swap = ".%s.swp" % os.path.basename(page.path)
    assert wait_until(lambda: swap in os.listdir(page.dir), 5)
    page.untouched(left=[swap])
    os.unlink(os.path.join(page.dir, swap))
    page.untouched()


# ex and ed, by commands on standard input

@pytest.mark.parametrize("name", ["vim -es", "ed"])
def test_line_editors(page, folder, name):
    words = {"vim -es": ["vim", "-es", "-u", "NONE"] + NO_BACKUP_SKIPPED + [page.path], "ed": ["ed", "-s", page.path]}[name]
    need(words[0])
    keys = {"vim -es": "%{0}\nw\n%{1}\nw\nq\n", "ed": "g/Phone/{0}\nw\ng/Phone/{1}\nw\nq\n"}[name]
    done = subprocess.run(words, input=keys.format(PHONE % "1", PHONE % "2"), env=editor_env(folder), cwd=str(folder), timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page.saved({"Phone": "1"}, {"Phone": "2"})


# nano

def nano_phone(nano, value):
    nano.keys("C-w", '"Phone"', "Enter")
    nano.keys("C-k", '  "Phone": "%s",' % value, "Enter")


@pytest.mark.parametrize("options", [[], ["-B"], ["-G"]], ids=["as it comes", "with a backup", "with a lock"])
def test_nano(page, folder, options):
    need("nano")
    with Terminal(folder, "nano", *options, page.path) as nano:
        nano.wait_for('"Id"')
        nano_phone(nano, "1")
        nano.keys("C-o", "Enter")
        nano.wait_for("Wrote")
        page.told({"Phone": "1"})
        nano_phone(nano, "2")
        nano.keys("C-o", "Enter")
        assert wait_until(lambda: len(page.writes()) == 2, 5), nano.screen()
        nano.keys("C-x")
        assert nano.wait_end() == 0
    left = [os.path.basename(page.path) + "~"] if options == ["-B"] else []
    page.saved({"Phone": "1"}, {"Phone": "2"}, left=left)
    for other in left:
        os.unlink(os.path.join(page.dir, other))


def test_nano_saves_without_a_change(page, folder):
    need("nano")
    with Terminal(folder, "nano", page.path) as nano:
        nano.wait_for('"Id"')
        nano.keys("C-o", "Enter")
        nano.wait_for("Wrote")
        nano.keys("C-x")
        assert nano.wait_end() == 0
    page.untouched()


# emacs

# By itself emacs makes no backup of what lies below /tmp, where tests run.
BACKUP_ANYWHERE = ["--eval", "(setq backup-enable-predicate (lambda (name) t))"]


def emacs_phone(emacs, value):
    emacs.keys("Escape", "<", "C-s", '"Phone": ', "Enter", "C-k", '"%s",' % value)


@pytest.mark.parametrize("options", [[], ["--eval", "(setq backup-by-copying t)"],
                                     ["--eval", "(setq make-backup-files nil)"]],
                         ids=["as it comes", "backup by copying", "no backup"])
def test_emacs(page, folder, options):
    need("emacs")
    with Terminal(folder, "emacs", "-nw", "-Q", *BACKUP_ANYWHERE, *options, page.path) as emacs:
        emacs.wait_for('"Id"')
        emacs_phone(emacs, "1")
        emacs.keys("C-x", "C-s")
        assert wait_until(lambda: len(page.writes()) >= 1, 10), emacs.screen()
        page.told({"Phone": "1"})
        assert emacs.wait_for("Wrote", "changed on disk") == "Wrote"
        emacs_phone(emacs, "2")
        emacs.keys("C-x", "C-s")
        assert wait_until(lambda: len(page.writes()) >= 2, 10), emacs.screen()
        emacs.keys("C-x", "C-c")
        assert emacs.wait_end() == 0
    backup = os.path.basename(page.path) + "~"
    left = [] if "make-backup-files nil" in " ".join(options) else [backup]
    page.saved({"Phone": "1"}, {"Phone": "2"}, left=left)
    for other in left:
        assert read(os.path.join(page.dir, other)) == page.before
        os.unlink(os.path.join(page.dir, other))
    page.is_tidy()


def test_emacs_saves_by_a_rename(page, folder):
    """The file has the org's stamps afterwards, and emacs notices that before the next key."""
    need("emacs")
    with Terminal(folder, "emacs", "-nw", "-Q", "--eval", "(setq file-precious-flag t)", page.path) as emacs:
        emacs.wait_for('"Id"')
        emacs_phone(emacs, "1")
        emacs.keys("C-x", "C-s")
        assert wait_until(lambda: len(page.writes()) >= 1, 10), emacs.screen()
        emacs.keys("C-x", "C-c")
        assert emacs.wait_end() == 0
    page.saved({"Phone": "1"}, left=[name for name in [os.path.basename(page.path) + "~"] if name in os.listdir(page.dir)])


def test_emacs_in_batch(page, folder):
    need("emacs")
    lisp = '(progn (find-file "%s") (goto-char 1) (re-search-forward "\\"Phone\\": .*") ' \
           '(replace-match "\\"Phone\\": \\"1\\",") (save-buffer))' % page.path
    done = subprocess.run(["emacs", "-Q", "--batch", *BACKUP_ANYWHERE, "--eval", lisp], env=editor_env(folder), timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    backup = os.path.basename(page.path) + "~"
    page.saved({"Phone": "1"}, left=[backup])
    os.unlink(os.path.join(page.dir, backup))


# two editors on one record of one mount

def test_two_vims_on_one_record_change_different_fields(page, folder):
    need("vim")
    with Vim(folder, page, ["-n"]) as one, Vim(folder, page, ["-n"]) as other:
        one.phone("1")
        assert one.write() == "written"
        other.command('%s#"AccountNumber": .*#"AccountNumber": "here",#')
        other.command("w!")
        assert wait_until(lambda: len(page.writes()) == 2 or "WARNING" in other.screen(), 5), other.screen()
        if len(page.writes()) < 2:
            other.keys("y")
            assert wait_until(lambda: len(page.writes()) == 2, 5), other.screen()
        assert one.quit() == 0 and other.quit() == 0
    page.saved({"Phone": "1"}, {"AccountNumber": "here"})


@pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed")
def test_many_records_in_one_vim(desk, folder):
    pages = [desk.page() for _ in range(10)]
    done = subprocess.run(["vim", "-es", "-u", "NONE", *NO_BACKUP_SKIPPED, "-c", "argdo %" + PHONE % "9" + " | w", "-c", "qa!"]
                          + [page.path for page in pages], env=editor_env(folder), cwd=str(folder), timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    writes = {write.id: write.body for write in pages[0].writes()}
    assert writes == {page.id: {"Phone": "9"} for page in pages}
    for page in pages:
        page.is_true()
        page.is_tidy()
