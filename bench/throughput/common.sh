# Sourced by the scripts beside it.

# The median of its arguments.
median() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# The first, and so the document's own, number of this name in a JSON document on stdin.
number() {
    sed -n "s/.*\"$1\":[[:space:]]*\([0-9.eE+-]*\).*/\1/p" | head -1
}

calc() {
    awk "BEGIN { printf \"%.${2:-3}f\", $1 }"
}

machine() {
    echo "$(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)), Linux $(uname -r)"
}
