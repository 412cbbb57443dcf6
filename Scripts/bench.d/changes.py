#!/usr/bin/env python3
"""Takes the same records in three times: when the store has none, unchanged, and when all have changed.

  changes.py HOTGLUE FOLDER RECORDS PYTHON

Narrow records have 5 properties, wide ones 34; of wide ones there are a third as many. PYTHON is one that
has sqlite-utils and orjson, or '-'. Both run between hotglue's syncs: orjson parses the tap's messages,
sqlite-utils upserts a fifth of the records, since it is slow. Three rounds; medians are printed.

Prints a line per figure: NAME, unit, ours, theirs, better, bound - separated by tabs.
"""
import json
import os
import statistics
import subprocess
import sys
import time

from syncing import Store, show

hotglue, folder, most, python = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
ROUNDS = 3
KINDS = ["first", "unchanged", "all changed"]
PARSE = """
import orjson, sys
for line in open(sys.argv[1], 'rb'): orjson.loads(line)
"""


def record(number, is_wide, edition):
    made = {
        "id": number, "name": "name %d" % number, "amount": number + edition / 10,
        "updated_at": "2026-01-%02dT00:00:%02dZ" % (edition, number % 60), "is_open": True}
    if is_wide:
        for place in range(29):
            made["field_%02d" % place] = (
                "text %d" % (number * place) if place % 2 else number + place)
    return made


def schema(is_wide):
    types = {int: "integer", float: "number", str: "string", bool: "boolean"}
    properties = {
        name: {"type": ["null", types[type(value)]]}
        for name, value in record(0, is_wide, 1).items()}
    return {"type": "SCHEMA", "stream": "records", "key_properties": ["id"],
            "schema": {"type": "object", "properties": properties}}


def write(name, records, is_wide, edition):
    """The messages of a tap with a STATE every 1,000 records, and a fifth of the records alone."""
    path = os.path.join(folder, name)
    with open(path, "w") as tap, open(path + ".plain", "w") as plain:
        tap.write(json.dumps(schema(is_wide)) + "\n")
        for number in range(records):
            text = json.dumps(record(number, is_wide, edition), separators=(",", ":"))
            tap.write('{"type":"RECORD","stream":"records","record":%s}\n' % text)
            if number % 1000 == 999:
                tap.write('{"type":"STATE","value":{"id":%d}}\n' % number)
            if number < records // 5:
                plain.write(text + "\n")
    return path


def seconds(*command):
    before = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def measure(shape, records, is_wide):
    editions = [write("edition-%d" % number, records, is_wide, number) for number in (1, 2)]
    tap = os.path.join(folder, "tap.singer")
    database = os.path.join(folder, "peer.db")
    rates = {(who, kind): [] for who in ("hotglue", "utils", "orjson") for kind in KINDS}
    for _ in range(ROUNDS):
        store = Store(hotglue, os.path.join(folder, "changes"), tap)
        for kind, edition, member in zip(
                KINDS, [editions[0], *editions], ["added", "unchanged", "changed"]):
            os.link(edition, tap)
            told, spent = store.sync()
            os.remove(tap)
            (stream,) = told["streams"]
            assert stream["received"] == stream[member] == records, stream
            rates["hotglue", kind].append(records / spent)
            if python == "-":
                continue
            rates["utils", kind].append(records // 5 / seconds(
                python, "-m", "sqlite_utils", "upsert", database, "records", edition + ".plain",
                "--nl", "--pk", "id"))
            rates["orjson", kind].append(records / seconds(python, "-c", PARSE, edition))
        store.remove()
        if python != "-":
            os.remove(database)
    middle = {key: statistics.median(values) for key, values in rates.items() if values}
    for kind in KINDS:
        ours = middle["hotglue", kind]
        if python != "-":
            show("%s, %s; sqlite-utils" % (shape, kind), "/s", ours, middle["utils", kind],
                 "higher", 5 if kind == "first" else "-")
            show("%s, %s; parse by orjson" % (shape, kind), "/s", ours, middle["orjson", kind],
                 "higher", "-")
    for kind in KINDS[1:]:
        show("%s, %s; first" % (shape, kind), "/s", middle["hotglue", kind],
             middle["hotglue", "first"], "higher", 0.6 if kind == "all changed" else "-")
    for edition in editions:
        os.remove(edition)
        os.remove(edition + ".plain")


measure("narrow", most * 3 // 10, False)
measure("wide", most // 10, True)
