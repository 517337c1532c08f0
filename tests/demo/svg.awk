# SPDX-License-Identifier: Apache-2.0
# From what a terminal received (a typescript of script(1)) to a picture of what it shows at the end, as SVG. Knows
# what virt-ferry prints: text in UTF-8, carriage return, erasing to the end of a line, and colours. Anything else
# ends it, so that no picture is wrong unseen. Byte by byte: run it under LC_ALL=C.

BEGIN {
    CELL = 8.4; LINE = 19; LEFT = 16; TOP = 44; COLUMNS = 80
    for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
    colour["31"] = "#ff7b72"; colour["32"] = "#7ee787"; colour["33"] = "#e3b341"
    colour["34"] = "#79c0ff"; colour["35"] = "#d2a8ff"; colour["36"] = "#76e3ea"
    row = 1
}

/^Script (started|done) on / { next }

{
    column = 0
    read_line($0)
    row++
}

function fail(why) {
    print "svg.awk: line " NR ": " why >"/dev/stderr"
    failed = 1
    exit 1
}

# ESC [ PARAMETERS LETTER; returns how many bytes it is.
function control(s,    n, letter, parameters) {
    if (!match(s, /^\033\[[0-9;]*[A-Za-z]/)) fail("a control sequence that is not known")
    n = RLENGTH
    letter = substr(s, n, 1)
    parameters = substr(s, 3, n - 3)
    if (letter == "K" && (parameters == "" || parameters == "0")) erase()
    else if (letter == "m") style(parameters)
    else fail("ESC [ " parameters letter " is not known")
    return n
}

function style(parameters,    part, n, i) {
    n = split(parameters == "" ? "0" : parameters, part, ";")
    for (i = 1; i <= n; i++) {
        if (part[i] + 0 == 0) is_bold = fill = ""
        else if (part[i] + 0 == 1) is_bold = 1
        else if (part[i] + 0 == 39) fill = ""
        else if (part[i] + 0 in colour) fill = colour[part[i] + 0]
        else fail("style " part[i] " is not known")
    }
}

function erase(    i) {
    for (i = column; i < COLUMNS; i++) delete cell[row, i]
}

function put(character) {
    if (column == COLUMNS) { row++; column = 0 }
    cell[row, column] = character
    look[row, column] = (is_bold ? " font-weight=\"bold\"" : "") (fill ? " fill=\"" fill "\"" : "")
    column++
}

function read_line(s,    first, n) {
    while (s != "") {
        first = code[substr(s, 1, 1)]
        n = first >= 240 ? 4 : first >= 224 ? 3 : first >= 192 ? 2 : 1
        if (first == 27) n = control(s)
        else if (first == 13) column = 0
        else if (first < 32 || first == 127) fail("byte " first " is not known")
        else put(substr(s, 1, n))
        s = substr(s, n + 1)
    }
}

function quoted(s) {
    gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s)
    return s
}

# Cells of one look are one text, and its length is given: the font at hand may be wider or narrower.
function draw_row(r, y,    i, start, s, width) {
    for (i = 0; i < COLUMNS; i += width) {
        s = ""
        start = i
        for (width = 0; i + width < COLUMNS && (r, i + width) in cell && look[r, i + width] == look[r, i]; width++)
            s = s cell[r, i + width]
        if (!width) { width = 1; continue }
        if (s !~ /^ *$/)
            printf "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\"%s>%s</text>\n", LEFT + start * CELL, y,
                width * CELL, look[r, start], quoted(s)
    }
}

function is_empty(r,    i) {
    for (i = 0; i < COLUMNS; i++) if ((r, i) in cell && cell[r, i] != " ") return 0
    return 1
}

END {
    if (failed) exit 1
    for (last = row; last > 1 && is_empty(last); last--);
    for (first_row = 1; first_row < last && is_empty(first_row); first_row++);
    width = 2 * LEFT + COLUMNS * CELL
    height = TOP + (last - first_row + 1) * LINE + 8
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" ", width, height,
        width, height
    print "font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">"
    print "<title>virt-ferry plans a move and makes it</title>"
    print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#161b22\"/>"
    print "<g fill=\"#6e7681\"><circle cx=\"20\" cy=\"18\" r=\"6\"/><circle cx=\"40\" cy=\"18\" r=\"6\"/><circle cx=\"60\" cy=\"18\" r=\"6\"/></g>"
    print "<g fill=\"#e6edf3\" style=\"white-space:pre\" xml:space=\"preserve\">"
    for (r = first_row; r <= last; r++) draw_row(r, TOP + (r - first_row) * LINE + 4)
    print "</g>\n</svg>"
}
