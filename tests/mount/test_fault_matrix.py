# SPDX-License-Identifier: MIT
"""Every kind of request under every fault: it ends in time, with the right errno and a sentence; nothing is written twice, the
cache stays true, and the next request is fine. The cells run side by side, each worker with an org and mounts of its own.

FAULT_MATRIX=whole runs all cells; `python3 tests/mount/test_fault_matrix.py` does that and prints the table."""
import concurrent.futures
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback

import pytest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support")]
from fault_table import FAULTS, KINDS, Cell, Scene, cells

WHOLE = os.environ.get("FAULT_MATRIX") == "whole"
WORKERS = int(os.environ.get("FAULT_WORKERS", "6"))
CHOSEN = cells(WHOLE)
MAKING = threading.Lock()


def certificates(folder):
    """Two of them for 127.0.0.1: [(certificate, key), …], or None where there is no openssl."""
    made = []
    for name in ("right", "wrong"):
        files = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
        try:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0],
                            "-keyout", files[1]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return None
        made.append(files)
    return made


class Worker:
    """The scenes of one thread, made when they are needed."""

    def __init__(self, stage, certs):
        self.stage, self.certs, self.scenes = stage, certs, {}

    def run(self, kind, fault, times):
        tls = FAULTS[fault].outage == "tls"
        if tls and not self.certs:
            return None
        if tls not in self.scenes:
            with MAKING:
                self.scenes[tls] = Scene(self.stage, tls=self.certs[0] if tls else None)
        other = dict(zip(*self.certs)) if tls else None
        try:
            return Cell(self.scenes[tls], kind, fault, times, other).run()
        except Exception:
            scene = self.scenes.pop(tls)
            if scene.mount is not None:
                scene.mount.kill()
            return ["".join(traceback.format_exc().splitlines(True)[-3:])]


def outcomes(stage, chosen):
    """{cell: complaints, or None if it could not be tried}"""
    certs = certificates(stage.folder)
    idle = queue.Queue()
    for _ in range(WORKERS):
        idle.put(Worker(stage, certs))

    def one(cell):
        worker = idle.get()
        try:
            return worker.run(*cell)
        finally:
            idle.put(worker)

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(chosen, pool.map(one, chosen)))


@pytest.fixture(scope="module")
def matrix(module_stage):
    return outcomes(module_stage, CHOSEN)


@pytest.fixture(autouse=True)
def watchdog():
    """The cells run in the first test; each is watched by its own deadline."""
    return None


@pytest.mark.parametrize("cell", CHOSEN, ids=lambda cell: "%s-%s%s" % (cell[0], cell[1], "" if cell[2] < 0 else " once"))
def test_cell(matrix, cell):
    complaints = matrix[cell]
    if complaints is None:
        pytest.skip("there is no openssl")
    assert not complaints, "\n".join(complaints)


def run_all(words):
    """The outcomes of all cells that have one of the words in their name."""
    from conftest import Stage
    folder = tempfile.mkdtemp(prefix="forcefs-matrix-")
    stage = Stage(folder)
    chosen = [cell for cell in cells(True) if not words or any(word in "%s-%s" % cell[:2] for word in words)]
    try:
        return outcomes(stage, chosen)
    finally:
        left = [complaint for home in stage.homes for complaint in home.clean_up()]
        print("".join("left behind: %s\n" % complaint for complaint in left), end="")
        for org in stage.orgs:
            org.stop()
        if not left:
            shutil.rmtree(folder)


def print_table(found):
    print("| fault | " + " | ".join(KINDS) + " |\n|" + "---|" * (len(KINDS) + 1))
    for fault in FAULTS:
        row = []
        for kind in KINDS:
            tried = [found[kind, fault, times] for times in (-1, 1) if (kind, fault, times) in found]
            row.append("/".join("-" if one is None else "FAIL" if one else "ok" for one in tried))
        print("| %s | %s |" % (fault, " | ".join(row)))


def main():
    found = run_all(sys.argv[1:])
    failed = {cell: complaints for cell, complaints in found.items() if complaints}
    for (kind, fault, times), complaints in failed.items():
        print("%s, %s%s: %s" % (kind, fault, "" if times < 0 else " once", "\n    ".join(complaints)))
    print_table(found)
    print("%d of %d cells passed" % (len(found) - len(failed), len(found)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
