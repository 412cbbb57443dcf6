"""A target that appends each record to the file it is given, and says a bookmark when it has written what
came before it. With a second word it also logs how many records it has counted, that many too many."""
import json
import os
import sys

count = 0
with open(sys.argv[1], "a", encoding="utf-8") as out:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "RECORD":
            out.write(json.dumps(message["record"]) + "\n")
            count += 1
        elif message["type"] == "STATE":
            out.flush()
            os.fsync(out.fileno())
            print(json.dumps(message["value"]), flush=True)
if len(sys.argv) > 2:
    metric = {"type": "counter", "metric": "record_count", "value": count + int(sys.argv[2]),
              "tags": {"stream": "counts"}}
    print("INFO METRIC: " + json.dumps(metric), file=sys.stderr)
