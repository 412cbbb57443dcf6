#!/usr/bin/env python3
"""Takes records of 300 bytes in through a sync, and asks meanwhile how long an enqueue takes.

  ingest.py HOTGLUE FOLDER RECORDS SQLITE_UTILS

Prints a line per figure: NAME, unit, ours, theirs, better, bound - separated by tabs.
SQLITE_UTILS is the path of that program, or '-' where it is not to be had.
"""
import json
import os
import subprocess
import sys
import threading
import time

from syncing import Store, show

hotglue, folder, records, peer = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
KIB_OF_60_MB = 60_000_000 // 1024
SCHEMA = {
    "type": "SCHEMA", "stream": "records", "key_properties": ["id"],
    "schema": {"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": ["string", "null"]},
        "amount": {"type": "number"}, "updated_at": {"type": "string", "format": "date-time"},
        "is_open": {"type": "boolean"}, "text": {"type": "string"}}}}


def record(number):
    start = '{"id":%d,"name":"name %d","amount":%d.10,"updated_at":"2026-01-01T00:00:%02dZ","is_open":true,"text":"' % (
        number, number, number, number % 60)
    return start + "x" * (300 - len(start) - 2) + '"}'


def write(path, states):
    with open(path, "w") as file:
        file.write(json.dumps(SCHEMA) + "\n")
        for number in range(records):
            file.write('{"type":"RECORD","stream":"records","record":%s}\n' % record(number))
            if states and number % 1000 == 999:
                file.write('{"type":"STATE","value":{"id":%d}}\n' % number)


def enqueue():
    before = time.perf_counter()
    store.run("job", "enqueue", "--", "/bin/true")
    return (time.perf_counter() - before) * 1000


def percentile(times):
    return sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]


def timed_sync():
    """Records a second, the peak of memory in KiB, and the times of enqueues meanwhile."""
    idle = [enqueue() for _ in range(200)]
    during, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            during.append(enqueue())

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        told, spent = store.sync()
    finally:
        ended.set()
        asking.join()
    (stream,) = told["streams"]
    assert stream["received"] == stream["added"] == records, stream
    attempts = json.loads(store.run("job", "show", str(told["job"]), "--json"))["attempts"]
    return records / spent, attempts[-1]["peak_memory_bytes"] // 1024, idle, during


tap = os.path.join(folder, "tap.singer")
plain = os.path.join(folder, "plain.jsonl")
peer_rate = None
if peer != "-":
    fewer = max(1, records // 10)
    with open(plain, "w") as file:
        for number in range(fewer):
            file.write(record(number) + "\n")
    before = time.perf_counter()
    subprocess.run([peer, "upsert", os.path.join(folder, "peer.db"), "records", plain, "--nl",
                    "--pk", "id"], check=True, stdout=subprocess.DEVNULL)
    peer_rate = fewer / (time.perf_counter() - before)
    os.remove(plain)
    os.remove(os.path.join(folder, "peer.db"))

for states, words in [(True, "a STATE every 1,000"), (False, "no STATE")]:
    write(tap, states)
    store = Store(hotglue, os.path.join(folder, "ingest"), tap)
    before = time.perf_counter()
    store.run("sync", "run", "tap", "--dry-run")
    parsed = records / (time.perf_counter() - before)
    rate, memory, idle, during = timed_sync()
    if peer_rate is not None:
        show("ingest, %s; sqlite-utils" % words, "/s", rate, peer_rate, "higher", 5)
    show("ingest, %s; reading alone" % words, "/s", rate, parsed, "higher", "-")
    show("its peak memory; 60 MB", " KiB", memory, KIB_OF_60_MB, "lower", 1)
    show("enqueue meanwhile, 99th; when idle", "ms", percentile(during), percentile(idle), "lower", "-")
    show("enqueue meanwhile, 99th; 50 ms", "ms", percentile(during), 50, "lower", 1)
    print("%s: %d enqueues meanwhile, median %.1f ms, longest %.1f ms" % (
        words, len(during), sorted(during)[len(during) // 2], max(during)), file=sys.stderr)
    store.remove()
os.remove(tap)
