"""The machine of the contest, and the load of other programs on it."""

import os
import platform
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

# Other programs may take this fraction of all cores before a turn counts as disturbed.
# Two threads that wait for each other lose far more time than that.
QUIET = 0.05
# Seconds by which /proc/stat, which counts whole hundredths, may be off.
SLACK = 0.03


class Watch:
    """Counts what all programs but the one watched take of the cores. `session` is the
    one whose processes are watched, or None for children that end meanwhile."""

    def __init__(self, session):
        self.session = session
        self.start, self.began = self.now(), time.perf_counter()

    def now(self):
        try:
            fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        except OSError:
            return None  # Not Linux: nobody knows.
        user, nice, system, _idle, _wait, interrupt, soft, steal = map(int, fields[:8])
        tick = os.sysconf("SC_CLK_TCK")
        return (user + nice + system + interrupt + soft + steal) / tick - self.own()

    def own(self):
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = ended.ru_utime + ended.ru_stime
        if self.session is None:
            return total
        tick = os.sysconf("SC_CLK_TCK")
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                # Behind the name, which may hold anything: state, parent, group, session …
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # Ended in between.
            if int(fields[3]) == self.session:
                total += sum(map(int, fields[11:15])) / tick
        return total

    def others(self):
        """The fraction of all cores that others took, or None if it is unknown."""
        if self.start is None:
            return None
        elapsed = time.perf_counter() - self.began
        return max(0.0, self.now() - self.start - SLACK) / (elapsed * os.cpu_count())


def describe():
    """Names and values of what a reader needs to know of the machine."""
    facts = {"CPU": f"{processor()}, {cores()} cores"}
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        facts["memory"] = f"{pages / 2**30:.0f} GiB"
    except (ValueError, OSError):
        pass
    facts["system"] = system()
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        answer = subprocess.run(query, capture_output=True, text=True)
        if answer.returncode == 0:
            facts["GPU"] = ", driver ".join(answer.stdout.strip().splitlines()[0].split(", "))
    return facts


def processor():
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    wide = " (AVX-512)" if " avx512f" in text else " (AVX2)" if " avx2" in text else ""
    return (name[1] if name else platform.machine()) + wide


def cores():
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count()


def system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform(terse=True)


def adapters(wgrad):
    """Name, kind and driver of each adapter that wgrad finds, best first."""
    text = subprocess.run([wgrad, "devices"], capture_output=True, text=True).stdout
    found = []
    for line in text.splitlines():
        if not line.startswith(" "):
            found.append({"name": line})
        elif match := re.match(r"  (\S.*?)  +(.*)$", line):
            found[-1][match[1]] = match[2]
    return [adapter for adapter in found if "backend" in adapter]
