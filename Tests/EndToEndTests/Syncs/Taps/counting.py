"""A tap whose whole output is known beforehand: record n replaces that of n modulo 997, and every fifty
records the tap says how far it is. It goes on from there, and takes its time."""
import json
import os
import sys
import time

TOTAL = int(os.environ.get("TOTAL", "20000"))
start = 0
if "--state" in sys.argv:
    with open(sys.argv[sys.argv.index("--state") + 1]) as file:
        start = json.load(file)["n"]
out = sys.stdout
out.write(
    '{"type":"SCHEMA","stream":"counts","key_properties":["id"],"schema":{"type":"object",'
    '"properties":{"id":{"type":"integer"},"n":{"type":"integer"}}}}\n')
for n in range(start + 1, TOTAL + 1):
    out.write('{"type":"RECORD","stream":"counts","record":{"id":%d,"n":%d}}\n' % (n % 997, n))
    if n % 50 == 0:
        out.write('{"type":"STATE","value":{"n":%d}}\n' % n)
        out.flush()
        time.sleep(0.002)
out.flush()
