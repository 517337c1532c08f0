# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the measurements share. Read behind REPO and LAB_ID.

lab() { timeout -k 5 300 "$REPO/tests/lab/lab" "$@" </dev/null; }
other() { [ "$1" = hostA ] && echo hostB || echo hostA; }
address_of() { lab status | awk -v host="$1" '$1 == "machine" && $2 == host { print $3 }'; }
# Of the numbers on stdin, a line each; between two whole ones a whole one.
median() {
    sort -n | awk '{ v[NR] = $1 }
        END { a = v[int((NR + 1) / 2)]; b = v[int(NR / 2) + 1]; m = (a + b) / 2
              print (a == b ? a : a == int(a) && b == int(b) ? int(m) : m) }'
}
