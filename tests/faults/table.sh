# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Lines of results to a table, fault by moment: how many went well; s: the tool said that it cannot know, and an
# operator started the guest; m: the moment never came; the rest by its name.

table_print() {
    awk -F'|' -v moments="$(cut -d'|' -f1 <<<"$MOMENTS" | xargs)" '
        NF >= 8 {
            if (!($3 in row)) { row[$3] = ++rows; name[rows] = $3 }
            count[$3, $4, $8]++; total[$8]++; used[$4] = 1; cases++; disk[$5]++; way[$6]++
            if (!($8 in known)) { known[$8] = 1; words = words " " $8 }
        }
        function cell(fault, moment,   text, i, list, n, word) {
            n = split(words, list, " ")
            for (i = 1; i <= n; i++) {
                word = list[i]
                if (!count[fault, moment, word]) continue
                text = text (text == "" ? "" : " ") count[fault, moment, word]
                if (word == "said") text = text "s"
                else if (word == "missed") text = text "m"
                else if (word != "ok") text = text " " toupper(word)
            }
            return text
        }
        function sums(of,   key, text) {
            for (key in of) text = text (text == "" ? "" : ", ") key " " of[key]
            return text
        }
        END {
            n = split(moments, m, " ")
            printf "| fault |"
            for (i = 1; i <= n; i++) if (used[m[i]]) printf " %s |", m[i]
            printf "\n|---|"
            for (i = 1; i <= n; i++) if (used[m[i]]) printf "---|"
            printf "\n"
            for (r = 1; r <= rows; r++) {
                printf "| %s |", name[r]
                for (i = 1; i <= n; i++) if (used[m[i]]) printf " %s |", cell(name[r], m[i])
                printf "\n"
            }
            printf "\n%d cases: %d well, %d said, %d missed, %d twice, %d lost, %d nowhere, %d left behind, %d hung, %d wrong exit, %d harness\n",
                cases, total["ok"], total["said"], total["missed"], total["twice"], total["lost"], total["none"], total["left"],
                total["hung"], total["exit"], total["harness"]
            printf "disks: %s; ways: %s\n", sums(disk), sums(way)
        }'
}
