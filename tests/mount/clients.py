# SPDX-License-Identifier: MIT
"""The programs that people use on files, as these tests run them."""
import json
import os
import shutil
import subprocess
import time
import urllib.request

import pytest

PATIENCE = 60
ENV = dict(os.environ, LC_ALL="C.UTF-8")


def run(*words, **options):
    """Runs a program to its end: a CompletedProcess, stdout and stderr as text."""
    options.setdefault("timeout", PATIENCE)
    return subprocess.run([str(word) for word in words], env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape", **options)


def output(*words, **options):
    """What it prints; it must succeed and complain about nothing."""
    done = run(*words, **options)
    assert done.returncode == 0 and done.stderr == "", "%s: %d %s" % (words, done.returncode, done.stderr)
    return done.stdout


def shell(line, **options):
    done = run("bash", "-o", "pipefail", "-c", line, **options)
    assert done.returncode == 0 and done.stderr == "", "%s: %d %s" % (line, done.returncode, done.stderr)
    return done.stdout


def start(*words, **options):
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen([str(word) for word in words], env=ENV, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            encoding="utf-8", errors="surrogateescape", **options)


def need(program):
    if not shutil.which(program):
        pytest.skip("%s is not installed" % program)


def timed(function, *arguments, **options):
    """(result, seconds)"""
    begun = time.monotonic()
    result = function(*arguments, **options)
    return result, time.monotonic() - begun


def read(path):
    with open(path, "rb") as file:
        return file.read()


def load(path):
    return json.loads(read(path).decode("utf-8"))


def ids(names):
    return {name[:-len(".json")] for name in names}


def get(org, path):
    """A reply of the org's API, as text."""
    request = urllib.request.Request(org.url + path, headers={"Authorization": "Bearer " + org.log_in()})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return reply.read().decode("utf-8")


def describe(org, name):
    return json.loads(get(org, "/services/data/v67.0/sobjects/%s/describe" % name))


def shown_fields(description):
    """The fields that a file shows: all but compounds whose parts are shown, and base64."""
    fields = description["fields"]
    parts_of = {field.get("compoundFieldName") for field in fields if field.get("compoundFieldName") != field["name"]}
    return [field["name"] for field in fields if field["type"] != "base64" and field["name"] not in parts_of]
