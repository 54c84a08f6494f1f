#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each example of a record in the documentation is a record."""
import glob
import json
import re
import sys

sys.path.insert(0, "tests/schema")
import validate  # noqa: E402

count, status = 0, 0
for path in sorted(glob.glob("docs/*.md") + glob.glob("README.md")):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"^```json\n(.*?)^```", text, re.M | re.S):
        decoder, at = json.JSONDecoder(), 0
        while block[at:].strip():
            record, end = decoder.raw_decode(block[at:].lstrip())
            at += len(block[at:]) - len(block[at:].lstrip()) + end
            count += 1
            for problem in validate.problems_of_record(record):
                print("%s: %s" % (path, problem))
                status = 1
print("%d examples" % count)
sys.exit(status or count == 0)
