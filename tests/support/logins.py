# SPDX-License-Identifier: MIT
"""A person with a browser, for log-ins: starts forcefs login, reads the address, clicks, is led back."""
import html
import http.client
import os
import re
import shutil
import socket
import subprocess
import urllib.parse

import pytest

from mounts import PATIENCE, program


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def callback(port=None):
    return "http://localhost:%d/OauthRedirect" % (port or free_port())


class Page:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        """What a person reads."""
        return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", self.body, flags=re.DOTALL)).split())

    def link(self, name):
        return html.unescape(re.search(r'id="%s" href="([^"]*)"' % name, self.body).group(1))


def request(url, method="GET", body=None, **headers):
    """One request, no redirect followed."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body,
                           {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return Page(reply.status, reply.headers, reply.read().decode("utf-8", "replace"))
    finally:
        connection.close()


def answer(url, choice="approve"):
    """Clicks on the log-in page; the address to which the browser is sent."""
    page = request(url)
    assert page.status == 200, page.body
    page = request(urllib.parse.urljoin(url, page.link(choice)))
    assert page.status == 302, page.body
    return page.headers["Location"]


class Login:
    """forcefs login while it waits."""

    def __init__(self, home, *words, **options):
        self.process = subprocess.Popen([program(), "login"] + list(words), env=options.pop("env", home.env),
                                        stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, universal_newlines=True)
        self.told = ""
        self.url = self.read_url()

    def read_url(self):
        """The address, once everything that comes with it has been read."""
        found = None
        for line in self.process.stderr:
            self.told += line
            if line.startswith("http"):
                found = line.strip()
            elif found and line.startswith("forcefs: login:"):
                return found
        return None

    def end(self):
        """(exit status, stdout, all of stderr)"""
        try:
            out, told = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, out, self.told + told

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def fake(home, name, script):
    """Puts a program of that name in front of the PATH of this home; the environment for it."""
    folder = os.path.join(home.folder, "bin")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
    return dict(home.env, PATH=folder + ":" + os.environ["PATH"])


def make_key(folder, name="app", *options):
    """An RSA key and its certificate: (key file, certificate file)."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, certificate = os.path.join(str(folder), name + ".key"), os.path.join(str(folder), name + ".crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=forcefs", "-keyout", key,
                    "-out", certificate] + list(options or ["-nodes"]), check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    return key, certificate
