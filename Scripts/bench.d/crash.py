"""500 jobs of 20 ms, one worker, killed 20 times at random: what is lost, run twice, or stuck.

    crash.py HOTGLUE FOLDER

A job is lost when it never ended and its queue does not know it any more, run twice when it began
twice, and stuck when its queue still has it although a worker finds nothing to do.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

JOBS, KILLS = 500, 20
HOTGLUE, WORK = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
JOB = 'echo "S $1" >>"$CRASH_LOG"; sleep 0.02; echo "D $1" >>"$CRASH_LOG"'


class Peer:
    """A queue, driven as its own manual says."""

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(WORK, "crash-" + name)
        os.mkdir(self.folder)
        self.log = os.path.join(self.folder, "log")
        open(self.log, "w").close()
        self.env = dict(os.environ, CRASH_LOG=self.log, HOME=self.folder)
        self.worker = None

    def call(self, *words, text=None):
        return subprocess.run(
            words, cwd=self.folder, env=self.env, input=text, text=True, check=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def start(self):
        self.worker = subprocess.Popen(
            self.command(), cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self):
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()

    def ended(self):
        with open(self.log) as log:
            return sum(line.startswith("D ") for line in log)

    def settle(self):
        """A healthy worker goes on until nothing has happened for three seconds."""
        self.start()
        before, quiet = -1, 0
        while quiet < 30:
            now = self.ended()
            quiet = quiet + 1 if now == before else 0
            before = now
            time.sleep(0.1)
        stuck = self.left()
        self.kill()
        return stuck


class Hotglue(Peer):
    def setup(self):
        self.call(HOTGLUE, "init")
        self.call(HOTGLUE, "workspace", "create", "crash")
        lines = "".join(
            '{"command":["sh","-c",%s,"job","%d"]}\n' % (quoted(JOB), n) for n in range(JOBS))
        self.call(HOTGLUE, "job", "enqueue", "-w", "crash", "--jsonl", "-", text=lines)

    def command(self):
        return [HOTGLUE, "job", "work", "-w", "crash"]

    def left(self):
        shown = self.call(HOTGLUE, "job", "list", "-w", "crash", "--limit", "0", "--json")
        return sum('"state":"succeeded"' not in line.replace(" ", "") for line in shown.splitlines())


class Nq(Peer):
    """Every queued job is a process of its own: the one that runs now is what can be killed."""

    def setup(self):
        self.env["NQDIR"] = self.folder
        for n in range(JOBS):
            self.call("nq", "-q", "sh", "-c", JOB, "job", str(n))

    def running(self):
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith(",") and os.access(os.path.join(self.folder, name), os.X_OK):
                found.append(int(name.rsplit(".", 1)[1]))
        return found

    def start(self):
        pass

    def kill(self):
        for pid in self.running()[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def left(self):
        return 0


class Tsp(Peer):
    """The queue is in its server's memory."""

    def setup(self):
        self.env.update(TS_SOCKET=self.folder + "/socket", TMPDIR=self.folder, TS_MAXFINISHED="1000")
        for n in range(JOBS):
            self.call("tsp", "sh", "-c", JOB, "job", str(n))

    def start(self):
        self.call("tsp")

    def kill(self):
        for pid in os.listdir("/proc"):
            try:
                with open("/proc/%s/environ" % pid, "rb") as file:
                    mine = ("TS_SOCKET=" + self.env["TS_SOCKET"]).encode() in file.read()
                with open("/proc/%s/comm" % pid) as file:
                    if mine and file.read().strip() == "tsp":
                        os.kill(int(pid), signal.SIGKILL)
            except (OSError, ValueError):
                continue
        if os.path.exists(self.env["TS_SOCKET"]):
            os.unlink(self.env["TS_SOCKET"])

    def left(self):
        lines = self.call("tsp", "-l").splitlines()[1:]
        return sum(" queued " in line or " running " in line for line in lines)


class Library(Peer):
    """A Python library with its worker in a process of its own."""

    def setup(self):
        self.call(sys.executable, "-c", self.code, "put", str(JOBS), JOB)

    def command(self):
        return [sys.executable, "-c", self.code, "work", str(JOBS), JOB]

    def left(self):
        return int(self.call(sys.executable, "-c", self.code, "left", str(JOBS), JOB))


class Huey(Library):
    code = """
import subprocess, sys
from huey import SqliteHuey
queue = SqliteHuey(filename='huey.db', fsync=True)
@queue.task(name='job')
def job(n): subprocess.run(['sh', '-c', sys.argv[3], 'job', str(n)])
if sys.argv[1] == 'put':
    for n in range(int(sys.argv[2])): job(n)
elif sys.argv[1] == 'work': queue.create_consumer(workers=1).run()
else: print(queue.pending_count())
"""


class Litequeue(Library):
    code = """
import subprocess, sys, time
from litequeue import LiteQueue
queue = LiteQueue('lite.db')
if sys.argv[1] == 'put':
    for n in range(int(sys.argv[2])): queue.put(str(n))
elif sys.argv[1] == 'work':
    while True:
        message = queue.pop()
        if message is None: time.sleep(0.05); continue
        subprocess.run(['sh', '-c', sys.argv[3], 'job', message.data])
        queue.done(message.message_id)
else: print(queue.conn.execute('select count(*) from Queue where status < 2').fetchone()[0])
"""


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def measure(peer):
    peer.setup()
    chance = random.Random(7)
    for _ in range(KILLS):
        peer.start()
        time.sleep(0.15 + chance.random() * 0.5)
        peer.kill()
    stuck = peer.settle()
    begun, ended = {}, set()
    with open(peer.log) as log:
        for line in log:
            word, number = line.split()
            if word == "S":
                begun[number] = begun.get(number, 0) + 1
            else:
                ended.add(number)
    twice = sum(count > 1 for count in begun.values())
    lost = max(0, JOBS - len(ended) - stuck)
    print("%-12s %8d %8d %8d" % (peer.name, lost, twice, stuck), flush=True)


def available(name):
    if name in ("huey", "litequeue"):
        probe = [sys.executable, "-c", "import " + name]
        return subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0
    return shutil.which(name) is not None


print("\n%d jobs of 20 ms, one worker, killed %d times at random\n" % (JOBS, KILLS))
print("%-12s %8s %8s %8s" % ("", "lost", "twice", "stuck"), flush=True)
measure(Hotglue("hotglue"))
for name, kind in (("nq", Nq), ("tsp", Tsp), ("huey", Huey), ("litequeue", Litequeue)):
    if available(name):
        measure(kind(name))
    else:
        print("%-12s not installed" % name, flush=True)
