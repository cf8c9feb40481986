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

# The loopback device's bytes received, by the kernel's count.
received() { awk '$1 == "lo:" { print $2 }' /proc/net/dev; }

# GB/s on the loopback device from so many seconds after a command's start, for so many seconds; then the command is ended.
steady() { # warm seconds command...
    local warm=$1 each=$2 before after from to
    shift 2
    setsid "$@" >/dev/null 2>&1 &
    sleep "$warm"
    before=$(received) from=$(date +%s%N)
    sleep "$each"
    after=$(received) to=$(date +%s%N)
    kill -TERM -- -$! 2>/dev/null || true
    wait $! 2>/dev/null || true
    calc "($after - $before) / ($to - $from)" 4
}
