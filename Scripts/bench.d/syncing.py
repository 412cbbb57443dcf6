"""What the benchmarks of syncs share: a store in a directory of its own, and a line per figure."""
import json
import os
import shutil
import subprocess
import time


class Store:
    """A fresh store with one workspace and the source 'tap', whose tap writes the file `tap`."""

    def __init__(self, hotglue, folder, tap):
        self.hotglue, self.folder = hotglue, folder
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        self.run("init")
        self.run("workspace", "create", "bench")
        self.run("workspace", "switch", "bench")
        # A second sync gives the tap '--state FILE', which 'cat' alone would refuse.
        self.run("source", "add", "tap", "--", "sh", "-c", 'exec cat "$0"', tap)

    def run(self, *arguments):
        return subprocess.run(
            [self.hotglue, *arguments], cwd=self.folder, stdout=subprocess.PIPE, check=True,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True).stdout

    def sync(self):
        """The report of a sync, and the seconds that it took."""
        before = time.perf_counter()
        told = json.loads(self.run("sync", "run", "tap", "--json"))
        return told, time.perf_counter() - before

    def remove(self):
        shutil.rmtree(self.folder)


def show(name, unit, ours, theirs, better, bound):
    print("\t".join([name, unit, "%.2f" % ours, "%.2f" % theirs, better, str(bound)]), flush=True)
