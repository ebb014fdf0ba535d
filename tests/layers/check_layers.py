#!/usr/bin/env python3
"""Fails when a file includes a floor above its own, a sibling, or a library that lives elsewhere."""

import pathlib
import re
import sys

# A floor may include itself and the floors named here.
BELOW = {
    "base": [],
    "model": ["base"],
    "net": ["base"],
    "store": ["base"],
    "sf": ["base", "model", "net"],
    "mirror": ["base", "model", "store"],
    "fs": ["base", "model", "mirror"],
    "app": ["base", "model", "net", "store", "sf", "mirror", "fs"],
}
# Each foreign library lives in its rooms, and never in a door header.
LIBRARY = {
    "jansson.h": ["model", "sf", "app"],
    "curl/": ["net"],
    "sqlite3.h": ["store"],
    "fuse": ["fs"],
    "ini.h": ["app"],
    "openssl/": ["sf"],
    "microhttpd.h": ["app"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')


def problems(root):
    for path in sorted([*root.glob("src/**/*.[ch]"), *root.glob("include/**/*.h")]):
        parts = path.relative_to(root).parts
        door = parts[0] == "include"
        floor = parts[2] if door else parts[1]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                text = complaint(floor, door, match.group(1))
                if text:
                    yield f"{path.relative_to(root)}:{number}: {text}"


def complaint(floor, door, header):
    if header.startswith("forcefs/"):
        other = header.split("/")[1]
        if other != floor and other not in BELOW[floor]:
            return f"{floor} must not include {header}"
        return None
    for library, rooms in LIBRARY.items():
        if header == library or (library.endswith("/") or library == "fuse") and header.startswith(library):
            if door:
                return f"a door header must not show {header}"
            if floor not in rooms:
                return f"{header} lives in {', '.join(rooms)}"
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = list(problems(root))
    print("\n".join(found) or "layers: every include points down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
