"""Mixed load with faults against the built program, and an oracle of its own (see Scripts/soak)."""

import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.environ["HOTGLUE_BINARY"]

# What every job runs. Its record is written with O_APPEND, a line at a time. The lock of its job is
# inherited by all that it starts: a second attempt that finds it held runs beside a first one. The
# faults hit flock as well: one that was killed has found nothing.
HANDLER = r"""#!/bin/sh
kind=$1
exec 9>>"$SOAK_ORACLE/locks/$HOTGLUE_JOB"
flock --nonblock --conflict-exit-code 111 9
[ $? -ne 111 ] || echo "beside $HOTGLUE_JOB $HOTGLUE_FENCE $kind" >>"$SOAK_ORACLE/record"
echo "start $HOTGLUE_JOB $HOTGLUE_FENCE $kind" >>"$SOAK_ORACLE/record"
case $kind in
  quick|unsafe) ;;
  slow) sleep 0.3 ;;
  child) sleep 20 & sleep 0.1 ;;
  retry) [ $((HOTGLUE_ATTEMPT % 3)) -eq 0 ] || exit 75 ;;
  snooze)
    if [ $((HOTGLUE_FENCE % 2)) -eq 0 ]; then
      echo '{"type":"result","outcome":"snooze","after":"200ms"}' >&3
      exit 0
    fi ;;
  long) sleep 30 ;;
  effect)
    hotglue effect run "send" -- sh -c 'echo "effect $HOTGLUE_JOB" >>"$SOAK_ORACLE/record"' || exit $? ;;
  verify) sleep 0.1 ;;
esac
echo "end $HOTGLUE_JOB $HOTGLUE_FENCE $kind" >>"$SOAK_ORACLE/record"
"""

# One process for many jobs; the lock of a job is held while it is in hand.
PERSISTENT = r"""#!/usr/bin/env python3
import fcntl, json, os, sys
oracle = os.environ["SOAK_ORACLE"]
record = os.open(oracle + "/record", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def say(text): os.write(record, (text + "\n").encode())
for line in sys.stdin:
    job = json.loads(line)
    with open("%s/locks/%d" % (oracle, job["job"]), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("beside %d %d stream" % (job["job"], job["fence"]))
        say("start %d %d stream" % (job["job"], job["fence"]))
        say("end %d %d stream" % (job["job"], job["fence"]))
    answer = {"type": "result", "job": job["job"], "fence": job["fence"], "outcome": "succeeded"}
    os.write(3, (json.dumps(answer) + "\n").encode())
"""

# All records of a run carry its number: a reader never sees two numbers at once.
TAP = r"""#!/usr/bin/env python3
import json, sys, time
print(json.dumps({"type": "SCHEMA", "stream": "s", "key_properties": ["id"], "schema": {
    "type": "object", "properties": {"id": {"type": "integer"}, "run": {"type": "integer"}}}}))
run = int(time.time() * 1000)
for number in range(200):
    print(json.dumps({"type": "RECORD", "stream": "s", "record": {"id": number, "run": run}}), flush=number == 100)
print(json.dumps({"type": "STATE", "value": {"s": run}}))
"""

# kind: flags of the type. Those that are unsafe are started once, whatever happens.
TYPES = {
    "quick": "--replay safe --max-losses 50 --backoff fixed:100ms --jitter none",
    "slow": "--replay safe --max-losses 50 --backoff fixed:100ms --jitter none",
    "child": "--replay safe --max-losses 50 --backoff fixed:100ms --jitter none --stop TERM,1s,KILL",
    "retry": "--replay safe --max-losses 50 --max-attempts 9 --backoff fixed:100ms --jitter none",
    "snooze": "--replay safe --max-losses 50 --backoff fixed:100ms --jitter none",
    "long": "--replay safe --max-losses 2 --timeout 500ms --stop TERM,200ms,KILL --backoff fixed:100ms",
    "effect": "--replay keyed --max-losses 50 --max-attempts 1 --backoff fixed:100ms --jitter none",
    "verify": "--replay unsafe --max-attempts 1",
    "unsafe": "--replay unsafe --max-attempts 1",
}
VERIFY = 'grep -q "^end $HOTGLUE_JOB " "$SOAK_ORACLE/record"'
UNSAFE = {"unsafe", "verify"}


class Broken(Exception):
    pass


class Soak:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.folder = tempfile.mkdtemp(prefix="hotglue-soak-")
        self.oracle = self.folder + "/oracle"
        self.disk = self.folder + "/disk"
        for path in (self.oracle + "/locks", self.folder + "/bin", self.disk):
            os.makedirs(path)
        self.token = "soak-%d-%d" % (os.getpid(), int(time.time()))
        self.environment = dict(
            os.environ, SOAK_ORACLE=self.oracle, SOAK_TOKEN=self.token, HOME=self.folder,
            PATH="%s/bin:%s" % (self.folder, os.environ["PATH"]))
        self.environment.pop("XDG_CONFIG_HOME", None)
        os.symlink(BINARY, self.folder + "/bin/hotglue")
        for name, text in (("handler", HANDLER), ("persistent", PERSISTENT), ("tap", TAP)):
            with open("%s/bin/%s" % (self.folder, name), "w") as file:
                file.write(text)
            os.chmod("%s/bin/%s" % (self.folder, name), 0o755)
        self.place = self.disk + "/place"
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.counts = collections.Counter()
        self.workers = []
        self.sizes = []
        self.problems = []
        self.ending = threading.Event()

    # Commands

    def run(self, *words, patience=120, kill_after=None, check=False):
        """Runs a command; (status, output, error). With kill_after it is killed then."""
        process = subprocess.Popen(
            ["hotglue", *words], cwd=self.place, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            executable=BINARY)
        try:
            output, error = process.communicate(timeout=kill_after or patience)
        except subprocess.TimeoutExpired:
            process.kill()
            output, error = process.communicate()
            self.counts["commands killed"] += 1
            if kill_after is None:
                raise Broken("'%s' did not end within %d s" % (" ".join(words), patience))
        if check and process.returncode != 0:
            raise Broken("'%s' ended with %s: %s" % (" ".join(words), process.returncode, error))
        # Ended by a signal that nobody sent, or by an error of its own making.
        if process.returncode in (70, -4, -6, -7, -8, -11):
            self.broken("'%s' ended with %s: %s" % (" ".join(words), process.returncode, error))
        return process.returncode, output, error

    def broken(self, text):
        with self.lock:
            self.problems.append(text)

    def prepare(self):
        if self.options.small_disk:
            # Room for what a worker wants free at the end, and 2 MiB of jobs a minute.
            size = 96 + 4 * self.options.minutes
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=%dm,mode=700" % size, "soak", self.disk],
                check=False)
            self.options.small_disk = done.returncode == 0
        os.makedirs(self.place)
        self.run("init", "-q", check=True)
        self.run("workspace", "create", "w", "-q", check=True)
        self.run("workspace", "switch", "w", "-q", check=True)
        for kind, flags in TYPES.items():
            words = flags.split() + (["--verify", VERIFY] if kind == "verify" else [])
            self.run("type", "set", kind, *words, "--", self.folder + "/bin/handler", kind, check=True)
        self.run(
            "type", "set", "stream", "--persistent", "--replay", "safe", "--max-losses", "50",
            "--backoff", "fixed:100ms", "--jitter", "none", "--", self.folder + "/bin/persistent", check=True)
        self.run("source", "add", "s", "--", self.folder + "/bin/tap", check=True)

    # Those who load the store

    def enqueue(self, chance):
        kind = chance.choice(list(TYPES) + ["stream"] * 2 + ["quick"] * 3)
        words = ["job", "enqueue", "-q", kind]
        kill_after = chance.uniform(0.001, 0.05) if chance.random() < 0.15 else None
        status, output, error = self.run(*words, kill_after=kill_after)
        if output.endswith("\n") and output.strip().isdigit():
            with self.lock:
                self.acknowledged[int(output)] = kind
        elif status == 0:
            self.broken("an enqueue ended with 0 and said '%s'" % output)

    def interfere(self, chance):
        with self.lock:
            jobs = list(self.acknowledged)[-60:]
        if not jobs:
            return
        job = chance.choice(jobs)
        what = chance.random()
        kill_after = chance.uniform(0.005, 0.1) if chance.random() < 0.2 else None
        if what < 0.3:
            self.run("job", "cancel", str(job), kill_after=kill_after)
        elif what < 0.5:
            # A person lets run again what is safe; what is unsafe is settled and never run again.
            if self.acknowledged[job] not in UNSAFE:
                self.run("job", "retry", str(job), kill_after=kill_after)
        elif what < 0.7:
            self.run("job", "resolve", str(job), "--as", "failed", "--reason", "soak", kill_after=kill_after)
        elif what < 0.8:
            self.run("job", "reclaim", kill_after=kill_after)
        elif what < 0.85:
            self.run("doctor", kill_after=kill_after)
        elif what < 0.9:
            self.run("store", "backup", "%s/backup-%d" % (self.folder, threading.get_ident()),
                     kill_after=kill_after)
            for name in os.listdir(self.folder):
                if name.startswith("backup-%d" % threading.get_ident()):
                    os.unlink(os.path.join(self.folder, name))
        elif what < 0.95:
            self.run("store", "prune", kill_after=kill_after)
        else:
            self.run("job", "show", str(job), "--json", kill_after=kill_after)

    def sync(self, chance):
        kill_after = chance.uniform(0.05, 0.5) if chance.random() < 0.3 else 300
        try:
            self.run("sync", "run", "s", "-q", kill_after=kill_after)
        finally:
            self.look_at_records()
        time.sleep(0.5)

    def look_at_records(self):
        status, output, _ = self.run("record", "export", "s", "s")
        if status != 0:
            return
        records = [json.loads(line) for line in output.splitlines()]
        if records and (len(records) != 200 or len({record["run"] for record in records}) != 1):
            self.broken("a reader saw %d records of runs %s" % (
                len(records), {record["run"] for record in records}))

    def start_worker(self):
        flags = ["--concurrency", str(self.random.randint(1, 4)), "--grace", "1s",
                 "--free-space-floor", "0"]
        if self.random.random() < 0.2:
            flags += ["--stop-running"]
        log = open(self.folder + "/workers.log", "ab")
        process = subprocess.Popen(
            ["hotglue", "job", "work", "-w", "w", *flags], cwd=self.place, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, executable=BINARY)
        log.close()
        self.workers.append(process)

    def keep_workers(self, count):
        for process in list(self.workers):
            if process.poll() is None:
                continue
            self.workers.remove(process)
            if process.returncode in (70, 77, -4, -6, -7, -8, -11):
                self.broken("a worker ended with %d (see workers.log)" % process.returncode)
        while len(self.workers) < count:
            self.start_worker()

    # Faults

    def processes(self):
        """All processes of this soak but its own, by the token in their environment."""
        found = []
        token = ("SOAK_TOKEN=" + self.token).encode()
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open("/proc/%s/environ" % name, "rb") as file:
                    if token in file.read().split(b"\0"):
                        found.append(int(name))
            except OSError:
                continue
        return found

    def hit(self, chance):
        processes = self.processes()
        if not processes:
            return
        pid = chance.choice(processes)
        what = chance.random()
        try:
            if what < 0.45:
                os.kill(pid, signal.SIGKILL)
                self.counts["KILL"] += 1
            elif what < 0.85:
                os.kill(pid, signal.SIGSTOP)
                self.counts["STOP"] += 1
                time.sleep(chance.choice([0.05, 0.3, 1.5]))
                os.kill(pid, signal.SIGCONT)
            else:
                os.kill(pid, signal.SIGTERM)
                self.counts["TERM"] += 1
        except ProcessLookupError:
            pass

    def fill_disk(self, chance):
        if not self.options.small_disk:
            return
        path = self.disk + "/balloon"
        try:
            with open(path, "wb") as file:
                while True:
                    file.write(b"\0" * (1 << 20))
                    file.flush()
        except OSError:
            pass
        self.counts["full disk"] += 1
        time.sleep(chance.uniform(0.1, 1))
        try:
            os.unlink(path)
        except OSError:
            pass
        time.sleep(chance.uniform(2, 5))

    # The run

    def repeat(self, number, body, pause=0.0):
        chance = random.Random(self.options.seed * 1000 + number)

        def loop():
            while not self.ending.is_set():
                try:
                    body(chance)
                except Broken as problem:
                    self.broken(str(problem))
                except Exception as problem:  # a fault of this program must not pass for a good run
                    self.broken("%s: %r" % (body.__name__, problem))
                    return
                time.sleep(pause * chance.uniform(0.5, 1.5))
        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        return thread

    def measure(self):
        for process in self.workers:
            try:
                with open("/proc/%d/status" % process.pid) as file:
                    found = re.search(r"VmRSS:\s+(\d+)", file.read())
                descriptors = len(os.listdir("/proc/%d/fd" % process.pid))
            except OSError:
                continue
            if found:
                self.sizes.append((int(found.group(1)) // 1024, descriptors))

    def load(self):
        until = time.monotonic() + self.options.minutes * 60
        threads = [
            self.repeat(1, self.enqueue, 0.02), self.repeat(2, self.enqueue, 0.02),
            self.repeat(3, self.interfere, 0.15), self.repeat(4, self.sync, 0.5),
            self.repeat(5, self.hit, 0.2), self.repeat(6, self.fill_disk, 2),
        ]
        if not self.options.small_disk:
            threads.pop()
        while time.monotonic() < until:
            self.keep_workers(3)
            self.measure()
            time.sleep(0.2)
        self.ending.set()
        for thread in threads:
            thread.join(timeout=400)
            if thread.is_alive():
                raise Broken("a thread of the load did not end")

    def settle(self):
        """Lets all that is due come to its end, without faults, and then looks for what is left."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGCONT)
            except ProcessLookupError:
                pass
        if os.path.exists(self.disk + "/balloon"):
            os.unlink(self.disk + "/balloon")
        for process in self.workers:
            process.terminate()
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            self.run("job", "work", "-w", "w", "--drain", "--concurrency", "4", "--free-space-floor", "0",
                     patience=600)
            open_jobs = [job for job in self.jobs() if job["state"] in ("pending", "running", "blocked")]
            if not open_jobs:
                return
            time.sleep(0.5)
        for job in open_jobs[:5]:
            self.broken("stuck: job %d is %s: %s" % (
                job["id"], job["state"], self.run("job", "explain", str(job["id"]))[1]))

    def jobs(self):
        _, output, _ = self.run("job", "list", "--json", "--limit", "0", check=True)
        return [json.loads(line) for line in output.splitlines()]

    def verify(self):
        jobs = {job["id"]: job for job in self.jobs()}
        starts = collections.Counter()
        fences = collections.Counter()
        effects = collections.Counter()
        ends = set()
        beside = 0
        with open(self.oracle + "/record") as file:
            for line in file:
                words = line.split()
                if words[0] == "start":
                    starts[int(words[1])] += 1
                    fences[words[1], words[2]] += 1
                elif words[0] == "end":
                    ends.add(int(words[1]))
                elif words[0] == "effect":
                    effects[words[1]] += 1
                elif words[0] == "beside":
                    beside += 1
                    self.broken("two alive: " + line.strip())
        lost = [job for job in self.acknowledged if job not in jobs]
        twice = [pair for pair, count in fences.items() if count > 1]
        double = [key for key, count in effects.items() if count > 1]
        again = [job for job, kind in self.acknowledged.items() if kind in UNSAFE and starts[job] > 1]
        # 'verify' runs an unsafe job again when its check says that it did not happen, which is allowed.
        again = [job for job in again if self.acknowledged[job] == "unsafe"]
        unrun = [
            job for job, kind in self.acknowledged.items()
            if job in jobs and jobs[job]["state"] == "succeeded" and kind != "long" and job not in ends
            and kind != "verify"]
        for text, found in (
            ("lost: acknowledged, and not in the store", lost), ("a fence twice", twice),
            ("an effect twice", double), ("unsafe, and run again without a person", again),
            ("succeeded, and its handler did not come to its end", unrun),
        ):
            if found:
                self.broken("%s: %s" % (text, found[:10]))
        status, output, error = self.run("store", "check", patience=600)
        if status != 0:
            self.broken("store check: %s%s" % (output, error))
        status, output, error = self.run("doctor", patience=600)
        if status != 0:
            self.broken("doctor: %s%s" % (output, error))
        self.look_at_records()
        self.look_at_processes()
        if self.sizes:
            if max(size for size, _ in self.sizes) > 64:
                self.broken("a worker grew to %d MB" % max(size for size, _ in self.sizes))
            if max(count for _, count in self.sizes) > 64:
                self.broken("a worker had %d descriptors open" % max(count for _, count in self.sizes))
        states = collections.Counter(job["state"] for job in jobs.values())
        print("jobs acknowledged %d (%s); attempts %d; effects %d" % (
            len(self.acknowledged), ", ".join("%s %d" % pair for pair in sorted(states.items())),
            sum(fences.values()), sum(effects.values())))
        print("faults: " + ", ".join("%s %d" % pair for pair in sorted(self.counts.items())))
        print("lost %d, two alive %d, fence twice %d, effects twice %d, unsafe run again %d" % (
            len(lost), beside, len(twice), len(double), len(again)))
        if self.sizes:
            print("a worker at most: %d MB, %d descriptors" % (
                max(size for size, _ in self.sizes), max(count for _, count in self.sizes)))

    def look_at_processes(self):
        """Supervisors, handlers and what they left: all gone a little later."""
        deadline = time.monotonic() + 60
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        for pid in self.processes():
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                self.broken("left: process %d, %s" % (pid, file.read().replace(b"\0", b" ").decode()))

    def clear(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.workers:
            process.wait()
        if self.options.keep or self.problems:
            if self.options.small_disk:
                shutil.copytree(self.place, self.folder + "/place", symlinks=True, ignore_dangling_symlinks=True)
            print("kept: " + self.folder)
        else:
            if self.options.small_disk:
                subprocess.run(["umount", self.disk], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="Scripts/soak")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder of a good run, too")
    parser.add_argument("--small-disk", action="store_true", help=argparse.SUPPRESS)
    soak = Soak(parser.parse_args())
    try:
        soak.prepare()
        soak.load()
        soak.settle()
        soak.verify()
    except Broken as problem:
        soak.broken(str(problem))
    finally:
        soak.clear()
    for problem in soak.problems[:40]:
        print("BROKEN " + problem)
    print("soak: %s" % ("%d promises broken" % len(soak.problems) if soak.problems else "sound"))
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
