#!/bin/bash
# SPDX-License-Identifier: MIT
# The generated parts of the pages and of the schema are what the code's tables say, and a word that
# only one of them knows is noticed.
set -euo pipefail
python3 docs/update.py --check docs/tables docs README.md

cp -rL docs "$TEST_TMPDIR/docs"
chmod -R u+w "$TEST_TMPDIR/docs"
file=docs/log.schema.json
for change in 's/"refused"/"rejected"/' 's/"port-closed",\?/"port-shut",/'; do
    sed "$change" "$file" >"$TEST_TMPDIR/$file"
    if cmp -s "$file" "$TEST_TMPDIR/$file"; then
        echo "WRONG: $change changes nothing in $file"
        exit 1
    fi
    if python3 docs/update.py --check docs/tables "$TEST_TMPDIR/docs"; then
        echo "WRONG: $change in $file went unnoticed"
        exit 1
    fi
    cp -L "$file" "$TEST_TMPDIR/$file"
done
