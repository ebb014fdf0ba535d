# SPDX-License-Identifier: MIT
"""The table, for people."""
import os
import platform
import subprocess

HEAD = ("operation", "mount", "cold s", "warm s", "local s", "warm/local", "CPU cold", "CPU warm", "calls cold", "calls warm",
        "MB in", "RSS MB", "peak MB")
AIMS = (("grep -r", "ro", 1.2), ("grep -r", "rw", 3.0), ("ls -l", "ro", 1.0), ("ls -l", "rw", 1.0))


def machine(folder):
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
    return {"kernel": platform.release(), "cpus": os.cpu_count(), "disk": kind}


def heading(figures):
    about = figures["machine"]
    return "%s\nLinux %s, %d CPUs, local disk: %s%s" % (figures["program"], about["kernel"], about["cpus"], about["disk"],
                                                       ", pinned" if figures["pinned"] else "")


def columns(rows):
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if place < 2 else cell.rjust(width)
                               for place, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def seconds(value):
    return "%.3f" % value if value < 1 else "%.2f" % value


def row(name, kind, found, local):
    cold, warm = found["cold"], found["warm"]
    return (name, kind, seconds(cold["seconds"]), seconds(warm["seconds"]), seconds(local),
            "%.2f" % (warm["seconds"] / local), "%.2f" % cold["daemon_cpu"], "%.2f" % warm["daemon_cpu"],
            str(cold["calls"]), str(int(warm["calls"])), "%.1f" % (cold["bytes"] / 1e6), "%.1f" % (warm["rss_kb"] / 1024),
            "%.1f" % (max(cold["peak_kb"], warm["peak_kb"]) / 1024))


def table(found):
    rows = [HEAD]
    for name, kinds in found["rows"].items():
        rows += [row(name, kind, figures, found["local"][name]) for kind, figures in kinds.items()]
    lines = ["", "%s records, %d ms latency" % (format(found["records"], ","), found["latency_ms"]), columns(rows)]
    for kind, first in found["first ls"].items():
        again = found["rows"]["grep -r"][kind]["remounted"]
        lines.append("%s: mount to first ls %s s (%d calls); first grep -r after a remount %s s (%d calls, %.2f s CPU)" % (
            kind, seconds(first["seconds"]), first["calls"], seconds(again["seconds"]), again["calls"], again["daemon_cpu"]))
    return "\n".join(lines)


def aims(tables):
    lines = [""]
    for operation, kind, most in AIMS:
        ratios = ["%.2f" % (found["rows"][operation][kind]["warm"]["seconds"] / found["local"][operation]) for found in tables]
        lines.append("aim: warm %s, %s, at most %.1f times the local disk: %s" % (operation, kind, most, ", ".join(ratios)))
    return "\n".join(lines)


def say_memory(name, found):
    print("%s: %9s records read: RSS %.1f MB, peak %.1f MB, %.0f s, daemon CPU %.0f s" % (
        name, format(found["records"], ","), found["VmRSS"] / 1024, found["VmHWM"] / 1024, found["seconds"], found["daemon_cpu"]),
        flush=True)
