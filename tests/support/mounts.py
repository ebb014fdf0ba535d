# SPDX-License-Identifier: MIT
"""Home: the folders and settings of one made-up user. Mount: an org mounted by that user.

    with PracticeOrg() as org:
        home = Home("/tmp/x", org)
        with home.mount("ttl=2") as mount:
            print(os.listdir(mount.path("Account")))

Nothing of the real user's settings, tokens or caches is looked at.
"""
import errno
import os
import re
import signal
import stat
import subprocess
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)
PATIENCE = 30  # seconds until a command of ours counts as hung
MOUNTED = "is mounted on"
SUSPICIOUS = re.compile(r"sanitizer|runtime error|assert|\bleak|^==\d+==|forcefs: error:|stack smashing|double free"
                        r"|corrupt", re.IGNORECASE | re.MULTILINE)


def program():
    """The forcefs to be tested: $FORCEFS, else the newest one built below build/."""
    named = os.environ.get("FORCEFS")
    if named:
        return os.path.abspath(named)
    built = []
    for folder in ("dev", "release", "asan", "tsan", "."):
        path = os.path.join(ROOT, "build", folder, "src", "app", "forcefs")
        if os.access(path, os.X_OK):
            built.append((os.stat(path).st_mtime, path))
    if not built:
        raise RuntimeError("there is no forcefs: build it, or name it in $FORCEFS")
    return max(built)[1]


def why_no_fuse():
    """A sentence if nothing can be mounted here, else None."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return "/dev/fuse cannot be opened: %s" % error.strerror
    if os.geteuid() == 0:
        with open("/proc/self/status", encoding="ascii") as file:
            rights = re.search(r"^CapEff:\s*([0-9a-f]+)", file.read(), re.MULTILINE)
        return None if rights and int(rights.group(1), 16) >> 21 & 1 else "there is no right to mount"
    for folder in os.environ.get("PATH", "").split(":") + ["/bin", "/usr/bin"]:
        if os.access(os.path.join(folder, "fusermount3"), os.X_OK):
            return None
    return "there is no fusermount3"


def mounts():
    """{directory: (type, source)} of everything mounted."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            parts = line.split()
            dash = parts.index("-")
            directory = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), parts[4])
            found[directory] = (parts[dash + 1], parts[dash + 2])
    return found


def is_mounted(directory):
    return directory in mounts()


def processes(word):
    """{pid: command line} of the processes whose command line holds the word."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open("/proc/%s/cmdline" % name, "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            except OSError:
                continue
            if word in line:
                found[int(name)] = line
    return found


def held_elsewhere(directory):
    """Whether another mount namespace, begun while it was mounted, has a copy of the mount: a container or a service that
    started just then. The mount lives on there when it is gone here."""
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/mountinfo" % name, encoding="utf-8", errors="surrogateescape") as file:
                if name.isdigit() and directory in file.read():
                    return True
        except OSError:
            continue
    return False


def is_dead(directory):
    """Whether a mount is left of a process that is gone."""
    try:
        os.statvfs(directory)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def is_running(pid):
    """Whether the process lives; one that ended and that nobody has asked about yet does not."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(true, seconds=10, step=0.02):
    """Whether true() became so in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return bool(true())
        time.sleep(step)
    return True


def settings_of(org, **more):
    """The settings of one org as they stand in the file; a value of None leaves the key out."""
    settings = {"login_url": org.url, "client_id": org.client_id, "client_secret": org.client_secret,
                "refresh_token": org.refresh_token}
    settings.update(more)
    return {name: value for name, value in settings.items() if value is not None}


class Home:
    def __init__(self, folder, org=None, **settings):
        self.folder = os.path.realpath(str(folder))
        self.config = os.path.join(self.folder, "forcefs.ini")
        self.count, self.mounted, self.more_env = 0, [], {}
        for name in ("home", "config", "state", "cache", "tmp", "run"):
            os.makedirs(os.path.join(self.folder, name), mode=0o700, exist_ok=True)
        if org is not None:
            self.write_settings(acme=settings_of(org, **settings))

    def __getattr__(self, name):
        """home.state, home.cache …"""
        if name in ("home", "state", "cache", "tmp", "run"):
            return os.path.join(self.folder, name)
        raise AttributeError(name)

    @property
    def env(self):
        keep = {name: value for name, value in os.environ.items()
                if name in ("PATH", "LD_LIBRARY_PATH", "TZ") or name.endswith("SAN_OPTIONS")}
        return dict(keep, HOME=self.home, XDG_CONFIG_HOME=os.path.join(self.folder, "config"), XDG_STATE_HOME=self.state,
                    XDG_CACHE_HOME=self.cache, XDG_RUNTIME_DIR=self.run, TMPDIR=self.tmp, FORCEFS_CONFIG=self.config,
                    LC_ALL="C.UTF-8", **self.more_env)

    # settings

    def write_text(self, text, mode=0o600):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.config, mode)

    def write_settings(self, mode=0o600, **sections):
        lines = []
        for section, settings in sections.items():
            lines += ["[%s]" % section] + ["%s = %s" % pair for pair in settings.items()] + [""]
        self.write_text("\n".join(lines), mode)

    # commands

    def command(self, *words, **options):
        """Runs forcefs with these words; a CompletedProcess with text."""
        options.setdefault("timeout", PATIENCE)
        return subprocess.run([program()] + list(words), env=options.pop("env", self.env), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, **options)

    def new_dir(self):
        self.count += 1
        path = os.path.join(self.folder, "mnt%d" % self.count)
        os.mkdir(path)
        return path

    def mount(self, *options, **more):
        """In the foreground, as a child of ours; see Mount."""
        mount = Mount(self, *options, **more)
        self.mounted.append(mount)
        return mount.start()

    # what is left

    def tokens(self):
        """Every word in the state folder that may be a secret."""
        words = set()
        for name in files_below(self.state):
            with open(name, encoding="utf-8", errors="replace") as file:
                words.update(re.findall(r"[A-Za-z0-9!._/+=-]{24,}", file.read()))
        return words

    def mountpoints(self):
        return [directory for directory in mounts() if directory.startswith(self.folder + "/")]

    def clean_up(self):
        """Ends everything that was mounted and says what had to be forced, and what is left."""
        complaints = []
        for mount in self.mounted:
            complaints += mount.finish()
        for directory in self.mountpoints():
            complaints.append("%s was still mounted" % directory)
            force_unmount(directory)
        if not wait_until(lambda: not processes(self.folder), 5):
            for pid, line in processes(self.folder).items():
                complaints.append("process %d was left: %s" % (pid, line))
                kill(pid)
        complaints += ["temporary file left: %s" % name for name in files_below(self.tmp)]
        return complaints


class Mount:
    """forcefs mount -f, its standard error in a file."""

    def __init__(self, home, *options, **more):
        self.home, self.options, self.org = home, list(options), more.pop("org", "acme")
        self.dir = more.pop("dir", None) or home.new_dir()
        self.arguments, self.command = more.pop("arguments", []), more.pop("command", "mount")
        self.process, self.excused = None, ()
        self.errors = "%s.stderr" % self.dir
        if more:
            raise TypeError("unknown options: %s" % sorted(more))

    @property
    def pid(self):
        return self.process.pid

    def start(self, patience=PATIENCE):
        words = [program(), self.command, "-f"]
        for option in self.options:
            words += ["-o", option]
        words += self.arguments + ([self.org] if self.command == "mount" else []) + [self.dir]
        with open(self.errors, "ab") as errors:
            start = errors.tell()
            self.process = subprocess.Popen(words, env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=errors)
        wait_until(lambda: self.process.poll() is not None or MOUNTED in self.stderr(start), patience, 0.01)
        if MOUNTED not in self.stderr(start):
            text = self.stderr(start)
            self.kill()
            raise RuntimeError("not mounted: %s" % text)
        return self

    def stderr(self, start=0):
        if not os.path.exists(self.errors):
            return ""
        with open(self.errors, "rb") as file:
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def record(self, name, record_id):
        return self.path(name, record_id + ".json")

    def status(self):
        import json
        with open(self.path(".forcefs", "status.json"), encoding="utf-8") as file:
            return json.load(file)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def umount(self):
        """The polite way; the exit status of the mount."""
        done = self.home.command("umount", self.dir)
        if done.returncode:
            raise RuntimeError("umount failed: %s" % done.stderr)
        status = self.process.wait(timeout=PATIENCE)
        self.process = None
        return status

    def kill(self):
        """As a crash would: the mount stays, dead."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remount(self, *options):
        """The same directory again, with other options if some are given."""
        if self.running():
            self.umount()
        self.options = list(options) or self.options
        return self.start()

    def excuse(self, *words):
        """Lines of stderr with one of these words are not suspicious."""
        self.excused += words

    def finish(self):
        """Ends it, by force if need be; complaints."""
        complaints = []
        if self.running():
            if self.home.mountpoints():
                words = (["fusermount3", "-u"] if os.geteuid() else ["umount"]) + [self.dir]

                def unmounted():
                    return subprocess.run(words, stderr=subprocess.DEVNULL, timeout=PATIENCE).returncode == 0
                try:
                    wait_until(lambda: unmounted() or not is_mounted(self.dir), 5, 0.1)  # df or status may look at it
                except subprocess.TimeoutExpired:
                    complaints.append("umount hung")
            try:
                status = self.process.wait(timeout=10)
                if status:
                    complaints.append("the mount ended with status %d" % status)
            except subprocess.TimeoutExpired:
                if is_mounted(self.dir) or not held_elsewhere(self.dir):
                    complaints.append("the mount had to be killed")
        elif self.process is not None and self.process.returncode not in (0, -signal.SIGKILL):
            complaints.append("the mount had ended with status %d" % self.process.returncode)
        self.kill()
        if is_mounted(self.dir):
            force_unmount(self.dir)
        return complaints + self.suspicions()

    def suspicions(self):
        lines = [line for line in self.stderr().splitlines() if SUSPICIOUS.search(line)
                 and not any(word in line for word in self.excused)]
        return ["on standard error: %s" % line for line in lines[:20]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        complaints = self.finish()
        if complaints:
            raise RuntimeError("; ".join(complaints))


def files_below(folder):
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def force_unmount(directory):
    words = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
    subprocess.run(words + [directory], stderr=subprocess.DEVNULL, timeout=PATIENCE)
