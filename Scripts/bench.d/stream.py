#!/usr/bin/env python3
# A stream handler as hotglue-handlers(7) shows it: it doubles a number.
import json, os, sys

report = int(os.environ["HOTGLUE_REPORT_FD"])
for line in sys.stdin:
    job = json.loads(line)
    answer = {"type": "result", "job": job["job"], "fence": job["fence"],
              "outcome": "succeeded", "value": 2 * job["payload"]["n"]}
    os.write(report, json.dumps(answer).encode() + b"\n")
