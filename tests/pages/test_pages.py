# SPDX-License-Identifier: MIT
"""Manual pages, completions and packages against the program: each option and setting that they name exists, and each
that exists is named. The pages are made from the program's tables; here the program itself is asked."""
import glob
import os
import re
import shutil
import string
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ["FORCEFS"]
PAGES = os.environ["PAGES"]  # the folder where the build makes them
MANUALS = ("forcefs.1", "forcefs.ini.5", "forcefs-tree.7", "mount.forcefs.8")


def text(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def forcefs(*words, **more):
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "FORCEFS_CONFIG": "/nonexistent/forcefs.ini"}
    return subprocess.run([PROGRAM, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=30, **more)


def commands():
    return re.findall(r"^  (\w+) ", forcefs("help").stdout, re.MULTILINE)


def option_words(line):
    """The options in a usage, a help or an mdoc line."""
    return re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line.replace("Fl ", "-").replace("\\-", "-"))


def settings_of_help():
    return re.findall(r"^  (\w+)=", forcefs("help", "mount").stdout, re.MULTILINE)


def section_of(command):
    """The part of forcefs(1) about a command."""
    body = unescape(text(PAGES, "forcefs.1")).split("The commands are:")[1].split("\n.Pp\nEach command")[0]
    parts = dict((part.split()[0], part) for part in re.split(r"^\.It Cm ", body, flags=re.MULTILINE)[1:])
    return parts[command]


def manual_options(command):
    return set(option_words(" ".join(re.findall(r"^\.It (Fl.*)", section_of(command), re.MULTILINE))))


def unescape(page):
    return re.sub(r"\\&", "", page).replace("\\-", "-")


# commands and options

def test_the_manual_has_the_commands_of_the_program():
    page = text(PAGES, "forcefs.1")
    named = re.findall(r"^\.It Cm (\w+)", page, re.MULTILINE)
    assert named == commands() == re.findall(r"^\.Nm Cm (\w+)", page.split(".Sh DESCRIPTION")[0], re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_usage_help_and_manual_name_the_same_options(command):
    shown = forcefs("help", command).stdout
    usage = shown.split("\n\n")[0]
    described = set(word for line in re.findall(r"^  (-.*?)(?:  |$)", shown, re.MULTILINE) for word in option_words(line))
    assert described == set(option_words(usage)), "the usage and the descriptions differ"
    assert manual_options(command) == described
    assert set(option_words(section_of(command).split("\n")[0])) == described


@pytest.mark.parametrize("command", commands())
def test_the_options_are_those_that_the_program_takes(command):
    """Every letter is tried, and every word with two dashes in the command's source. More operands than most
    commands take, which lead nowhere, keep it from doing anything."""
    def complaint(option):
        done = forcefs(command, option, "/nonexistent/1", "2", "3", "4")
        assert done.returncode in (1, 2), (option, done.stderr)
        return done.stderr.replace(option, "")

    files = glob.glob(os.path.join(ROOT, "src", "app", "cmd_%s*.c" % command)) + [os.path.join(ROOT, "src", "app", "operand.c")]
    source = "".join(text(path) for path in files)
    words = re.findall(r'"(--[a-z][a-z-]+)"', source)
    words += ["--" + name for name in re.findall(r'\{"([a-z-]+)", *(?:no|required|optional)_argument', source)]
    letters = ["-" + letter for letter in string.ascii_letters if letter != "h"]
    unknown = complaint("-9"), complaint("--quux")
    taken = set(letter for letter in letters if complaint(letter) != unknown[0])
    taken |= set(word for word in words if complaint(word) != unknown[1])
    assert taken == manual_options(command)


# settings

def test_the_manual_and_the_sample_have_the_settings_of_the_program():
    settings = settings_of_help()
    page = text(PAGES, "forcefs.ini.5")
    assert len(settings) > 15
    assert re.findall(r"^\.It Cm (\w+) =", page, re.MULTILINE) == settings
    sample = text(PAGES, "forcefs.ini").split("all settings")[1]
    assert re.findall(r"^;(\w+) =", sample, re.MULTILINE) == settings


def test_every_setting_of_the_manual_is_taken_by_the_settings_file_and_no_other(tmp_path):
    page = text(PAGES, "forcefs.ini.5")
    config = tmp_path / "forcefs.ini"
    for name in re.findall(r"^\.It Cm (\w+) =", page, re.MULTILINE) + ["quux"]:
        config.write_text("[acme]\n%s = \x01\n" % name)
        config.chmod(0o600)
        done = subprocess.run([PROGRAM, "mount", "acme", str(tmp_path)], env={"FORCEFS_CONFIG": str(config)},
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, universal_newlines=True, timeout=30)
        assert done.returncode == 1 and ("no setting" in done.stderr) == (name == "quux"), (name, done.stderr)


def test_the_sample_settings_are_valid(tmp_path):
    config = tmp_path / "forcefs.ini"
    uncommented = re.sub(r"^;(\w+ = .+)", r"\1", text(PAGES, "forcefs.ini"), flags=re.MULTILINE)
    for sample in (text(PAGES, "forcefs.ini"), re.sub(r"^login_url = .*\n", "", uncommented, count=1, flags=re.MULTILINE)):
        config.write_text(sample)
        config.chmod(0o600)
        done = subprocess.run([PROGRAM, "mount", "acme", "/nonexistent"], stdin=subprocess.DEVNULL, timeout=30,
                              env={"FORCEFS_CONFIG": str(config)}, stderr=subprocess.PIPE, universal_newlines=True)
        assert "/nonexistent does not exist" in done.stderr, done.stderr


# mount options

def test_every_mount_option_of_the_manual_exists_and_every_one_is_in_it():
    page = unescape(text(PAGES, "mount.forcefs.8"))
    part = page.split(".Sh MOUNT OPTIONS")[1].split(".Ss fstab")[0]
    part, others = part.split("These belong to")
    named = re.findall(r"^\.It Cm (\w+)( Ns = Ns)?", part, re.MULTILINE)
    passed = re.findall(r"^\.Cm ([\w*=-]+) [,.]$", others.split(".Pp")[0], re.MULTILINE)
    for name, valued in named:
        done = forcefs("mount", "-o", name + ("=0" if valued else ""), "acme", "/nonexistent")
        assert "no option" not in done.stderr, done.stderr
    for name in passed:
        done = forcefs("mount", "-o", name.replace("*", "y"), "acme", "/nonexistent")
        assert "no option" not in done.stderr, done.stderr
    assert "no option" in forcefs("mount", "-o", "quux", "acme", "/nonexistent").stderr
    source = text(ROOT, "src", "app", "options.c")
    rows = source.split("mount_options[] = {")[1].split("};")[0]
    assert [name for name, _ in named] == re.findall(r'\{\{"(\w+)"', rows)
    assert passed == re.findall(r'"([^"]+)"', source.split("passed_over[] = {")[1].split("};")[0])


def test_the_helper_takes_the_letters_of_its_manual(tmp_path):
    helper = tmp_path / "mount.forcefs"
    helper.symlink_to(PROGRAM)
    page = text(PAGES, "mount.forcefs.8").split(".Sh MOUNT OPTIONS")[0]
    letters = "".join(a + b for a, b in re.findall(r"^\.It Fl (\w)(?: , (\w))?", page, re.MULTILINE))
    assert sorted(letters) == list("fnosv")
    for letter in letters:
        words = ["-" + letter] + (["ro"] if letter == "o" else [])
        done = subprocess.run([str(helper), "acme", "/nonexistent"] + words, env={"FORCEFS_CONFIG": "/nonexistent/x"},
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=30)
        assert done.returncode == 1, done.stderr


# error codes

def test_the_manual_explains_every_errno_of_the_codes():
    page = text(PAGES, "forcefs-tree.7").split(".Sh ERROR NUMBERS")[1]
    explained, codes = page.split(".Ss Salesforce's codes")
    explained = re.findall(r"^\.It Er (\w+)", explained, re.MULTILINE)
    assert explained == sorted(explained)
    assert set(re.findall(r"^\.It Er (\w+)", codes, re.MULTILINE)) <= set(explained)
    table = text(ROOT, "src", "sf", "sf_error.c").split("code_rows[] = {")[1].split("\n};")[0]
    rows = re.findall(r'\{"([A-Z_*]+)", (E\w+)', table)
    listed = [(code, errno) for errno, block in re.findall(r"^\.It Er (\w+)\n((?:\.Li .*\n)+)", codes, re.MULTILINE)
              for code in re.findall(r"^\.Li (\S+)", block, re.MULTILINE)]
    assert sorted(rows) == sorted(listed)


# form

@pytest.mark.parametrize("name", MANUALS)
def test_mandoc_finds_nothing(name):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "lint", os.path.join(PAGES, name)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, universal_newlines=True)
    # Which manuals of others are installed is not the page's business.
    assert [line for line in done.stdout.splitlines() if "referenced manual not found" not in line] == []


def test_one_version():
    [version] = re.findall(r"^project\(forcefs VERSION ([0-9.]+)", text(ROOT, "CMakeLists.txt"), re.MULTILINE)
    assert forcefs("--version").stdout == "forcefs %s\n" % version
    assert "This is version %s." % version in text(PAGES, "forcefs.1")
    log = text(ROOT, "packaging", "CHANGELOG.md")
    assert re.findall(r"^## (.*) \(\d{4}-\d\d-\d\d\)$", log, re.MULTILINE)[0] == version
    assert re.findall(r"^Version: +(.*)$", text(ROOT, "packaging", "rpm", "forcefs.spec"), re.MULTILINE) == [version]
    assert re.findall(r"^pkgver=(.*)$", text(ROOT, "packaging", "arch", "PKGBUILD"), re.MULTILINE) == [version]


def test_the_packages_are_built_with_what_cmake_asks_for():
    modules = re.findall(r"pkg_check_modules\(\w+ REQUIRED IMPORTED_TARGET ([\w-]+)", text(ROOT, "CMakeLists.txt"))
    spec = re.findall(r"^BuildRequires: +pkgconfig\((.+)\)$", text(ROOT, "packaging", "rpm", "forcefs.spec"), re.MULTILINE)
    assert sorted(spec) == sorted(modules)
    needed = re.findall(r'^build="(.*)"', text(ROOT, "packaging", "need.sh"), re.MULTILINE)[0].split()
    control = text(ROOT, "packaging", "debian", "control").split("Build-Depends:")[1].split("Standards-Version")[0]
    missing = [name for name in needed if not re.search(r"[ \n]%s[, \n]" % re.escape(name), control)]
    assert [name for name in missing if name not in ("gcc", "libc6-dev")] == []  # build-essential is taken for granted


def test_the_units_are_valid(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    unit = text(PAGES, "forcefs@.service")
    unit = re.sub(r"(?m)^(Exec\w+=-?)\S+/forcefs ", lambda match: match.group(1) + PROGRAM + " ", unit)
    (tmp_path / "forcefs@.service").write_text(re.sub(r"(?m)^Documentation=.*\n", "", unit))
    names = ["forcefs@acme.service"]
    for name in ("mnt-acme.mount", "mnt-acme.automount"):
        (tmp_path / name).write_text(re.sub(r"(?m)^Documentation=.*\n", "", text(ROOT, "packaging", "systemd", name)))
        names.append(name)
    for name in names:
        done = subprocess.run(["systemd-analyze", "verify"] + (["--user"] if "@" in name else []) + [str(tmp_path / name)],
                              env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
        about_us = [line for line in done.stdout.splitlines() if "acme" in line]
        assert about_us == [], done.stdout


def test_changes_stand_in_lines_that_a_debian_changelog_may_have():
    assert [line for line in text(ROOT, "packaging", "CHANGELOG.md").splitlines() if len(line) > 76] == []
