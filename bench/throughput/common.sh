# Sourced by the scripts beside it.

# The median of its arguments.
median() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# The first, and so the document's own, number of this name in a JSON document on stdin.
number() {
    sed -n "s/.*\"$1\":[[:space:]]*\([0-9.eE+-]*\).*/\1/p" | head -1
}

# The value of this name in a line of name=value pairs on stdin.
field() {
    sed -n "s/^\(.* \)\?$1=\([^ ]*\).*/\2/p"
}

calc() {
    awk "BEGIN { printf \"%.${2:-3}f\", $1 }"
}

machine() {
    echo "$(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)), Linux $(uname -r)"
}

# --- two hosts: network namespaces, joined by NICs with the same name on both, ethN in 10.(100+N).0.0/24, .1 on the first and .2 on the second

join_hosts() { # first second from-NIC to-NIC
    local i host
    ip netns add "$1"
    ip netns add "$2"
    for ((i = $3; i <= $4; i++)); do
        ip -n "$1" link add eth$i type veth peer name eth$i netns "$2"
        ip -n "$1" addr add 10.$((100 + i)).0.1/24 dev eth$i
        ip -n "$2" addr add 10.$((100 + i)).0.2/24 dev eth$i
        for host in "$1" "$2"; do
            ip -n "$host" link set eth$i up
            ip -n "$host" link set lo up
        done
    done
}

# Ends what runs in them, too. None need be there.
end_hosts() { # host...
    local host
    for host in "$@"; do
        ip netns pids "$host" 2>/dev/null | xargs -r kill 2>/dev/null || true
        ip netns del "$host" 2>/dev/null || true
    done
}

# The loopback device's bytes received, by the kernel's count.
received() { awk '$1 == "lo:" { print $2 }' /proc/net/dev; }

# --- two programs in turn. A machine's pace changes by a tenth from second to second, so that both are alive at once and one runs while
# the other is stopped, a second each: the two of a pair lie next to each other.

groups=() # the process groups that are alive, stopped but for the one whose turn it is

end_groups() {
    for g in "${groups[@]}"; do kill -KILL -- "-$g" 2>/dev/null || true; done
    groups=()
}

# Starts a command that is ended by force later, gives it so many seconds to warm up, and stops it.
begin_stopped() { # seconds command...
    setsid "${@:2}" >/dev/null 2>&1 &
    groups+=($!)
    disown # its end by force is no news
    sleep "$1"
    kill -STOP -- "-$!"
}

# Hundredths of CPU seconds that processes have used.
used() { # process...
    for p in "$@"; do cat "/proc/$p/stat" 2>/dev/null; done | awk '{ sub(/.*\) /, ""); s += $12 + $13 } END { print s + 0 }'
}

# GB/s that a process group moves over the loopback device in a second, and the CPU seconds that a GB takes it; sets gbps and cpu.
turn() { # group
    local before after from to began
    kill -CONT -- "-$1"
    sleep 0.25 # until caches and sockets are as they are when it runs alone
    began=$(used $(pgrep -g "$1")) before=$(received) from=$(date +%s%N)
    sleep 1
    after=$(received) to=$(date +%s%N)
    cpu=$(calc "($(used $(pgrep -g "$1")) - $began) / 100 / (($after - $before) / 1e9)" 4)
    kill -STOP -- "-$1"
    gbps=$(calc "($after - $before) / ($to - $from)" 4)
    [ "$((after - before))" -gt 1000000 ] || { echo "a side moved nothing: run its command by hand" >&2; exit 1; }
}

# Pairs of turns of the two groups that are alive, C first begun; adds to theirs, ours and ratios, and to cpus the ratio of CPU a GB.
turns() { # pairs
    local i which c s c_cpu s_cpu
    for ((i = 0; i < $1; i++)); do
        for which in $((i % 2)) $((1 - i % 2)); do
            turn "${groups[which]}"
            if [ "$which" = 0 ]; then c=$gbps c_cpu=$cpu; else s=$gbps s_cpu=$cpu; fi
        done
        theirs+=("$c") ours+=("$s") ratios+=("$(calc "$s / $c")") cpus+=("$(calc "$s_cpu / $c_cpu")")
    done
}

# What half of its arguments lie in.
middle_half() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int(NR / 4) + 1] " to " v[int(NR * 3 / 4) + 1] }'
}

# What the median of its arguments lies in with a confidence of 95 % (by their ranks).
interval() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { r = int((NR - 1.96 * sqrt(NR)) / 2); if (r < 1) r = 1; print v[r] " to " v[NR + 1 - r] }'
}
