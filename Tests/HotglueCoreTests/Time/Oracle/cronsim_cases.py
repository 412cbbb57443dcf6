"""Prints cases of cron expressions as JSON Lines, with the times that cronsim computes for them.

usage: cronsim_cases.py SEED COUNT

Most cases lie around a change of clocks. Left out are the cases in which cronsim is known to differ
from its own rule for schedules that follow the clock literally: a clock that changes by part of an
hour, and a gap that holds midnight.
"""
import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, reset_tzpath

from cronsim import CronSim

ROOT = "/usr/share/zoneinfo"
UTC = timezone.utc
reset_tzpath([ROOT])
draw = random.Random(int(sys.argv[1]))


def zones():
    names = []
    for folder, _, files in os.walk(ROOT):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, ROOT)
            if name[0].isupper():
                with open(path, "rb") as stream:
                    if stream.read(4) == b"TZif":
                        names.append(name)
    return sorted(names)


def item(low, high):
    kind = draw.random()
    if kind < 0.45:
        return str(draw.randint(low, high))
    first, last = sorted((draw.randint(low, high), draw.randint(low, high)))
    if kind < 0.75:
        return f"{first}-{last}"
    # cronsim reads a-a/n as a/n.
    if kind < 0.9 and first < last:
        return f"{first}-{last}/{draw.randint(1, max(1, (high - low) // 2))}"
    return f"*/{draw.randint(1, high)}"


def field(low, high, starred):
    if draw.random() < starred:
        return "*" if draw.random() < 0.6 else f"*/{draw.randint(1, high)}"
    return ",".join(item(low, high) for _ in range(draw.choice([1, 1, 1, 2, 3])))


def expression():
    fields = [
        field(0, 59, 0.25), field(0, 23, 0.3), field(1, 31, 0.5), field(1, 12, 0.6), field(0, 7, 0.6)
    ]
    if draw.random() < 0.05:
        fields[2] = "L"
    if draw.random() < 0.05:
        fields[4] = f"{draw.randint(0, 6)}L"
    if draw.random() < 0.05:
        fields[4] = f"{draw.choice(['MON', 'SUN', 'fri'])}#{draw.randint(1, 5)}"
    return " ".join(fields)


def changes(zone, start, end):
    """The changes of clocks between two times, as (before, after, local time before)."""
    found = []
    time = start
    while time < end:
        later = min(time + timedelta(hours=1), end)
        before, after = time.astimezone(zone).utcoffset(), later.astimezone(zone).utcoffset()
        if before != after:
            found.append((before, after, time.astimezone(zone).replace(tzinfo=None)))
        time = later
    return found


def is_known_to_differ(text, zone, start, end):
    fields = text.split()
    if not fields[0].startswith("*") and not fields[1].startswith("*"):
        return False
    for before, after, local in changes(zone, start - timedelta(days=1), end + timedelta(days=1)):
        if (after - before) % timedelta(hours=1) or before % timedelta(hours=1):
            return True
        if after > before and (local + timedelta(hours=2)).day != local.day:
            return True
    return False


def near_change(zone, year):
    first = datetime(year, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=day) for day in range(366)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    found = [day for day, old, new in zip(days[1:], offsets, offsets[1:]) if old != new]
    return draw.choice(found) - timedelta(hours=draw.randint(20, 40)) if found else None


names = zones()
left = int(sys.argv[2])
while left:
    name, text = draw.choice(names), expression()
    zone = ZoneInfo(name)
    year = draw.randint(2005, 2037)
    start = datetime(year, draw.randint(1, 12), draw.randint(1, 28), draw.randint(0, 23),
                     draw.randint(0, 59), tzinfo=UTC)
    if draw.random() < 0.7:
        start = near_change(zone, year) or start
    end = start + timedelta(days=draw.choice([2, 3, 3, 10]))
    if is_known_to_differ(text, zone, start, end):
        continue
    times = []
    try:
        for time in CronSim(text, (start - timedelta(minutes=1)).astimezone(zone)):
            second = int(time.timestamp())
            if second >= end.timestamp():
                break
            if second >= start.timestamp():
                times.append(second)
    except StopIteration:
        pass
    except Exception:
        # An expression that cronsim refuses.
        continue
    left -= 1
    print(json.dumps({
        "zone": name, "cron": text, "from": int(start.timestamp()), "to": int(end.timestamp()),
        "times": times,
    }))
