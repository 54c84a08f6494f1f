#!/bin/bash
# SPDX-License-Identifier: MIT
# The generated parts of the pages and of the schema are what the code's tables say, and a word that
# only one of them knows is noticed.
set -euo pipefail
python3 docs/update.py --check docs/tables docs README.md

cp -rL docs "$TEST_TMPDIR/docs"
chmod -R u+w "$TEST_TMPDIR/docs"
for file in docs/log.schema.json; do
    for change in 's/"refused"/"rejected"/' 's/"port-closed",\?/"port-shut",/'; do
        sed "$change" "$file" >"$TEST_TMPDIR/$file"
        ! cmp -s "$file" "$TEST_TMPDIR/$file"
        if python3 docs/update.py --check docs/tables "$TEST_TMPDIR/docs"; then
            echo "WRONG: $change in $file went unnoticed"
            exit 1
        fi
        cp -L "$file" "$TEST_TMPDIR/$file"
    done
done
