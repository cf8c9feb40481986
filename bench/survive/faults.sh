#!/usr/bin/env bash
# Runs faults between two network namespaces and writes what happened into docs/faults.md, between its two marks; what is written by
# hand there stays. Needs root, ip, tc, nft; gcc for the plugin's faults. About 4 minutes.
#   bench/survive/faults.sh            all
#   bench/survive/faults.sh NAME...    those, printed only
set -uo pipefail
cd "$(dirname "$0")/../.."
program=${SLUICE:-$PWD/sluice} # another build can be put under test
work=$(mktemp -d)
id=$$
a=sf${id}a b=sf${id}b
rows=()
cleanup() {
  for p in "${started[@]:-}"; do [ -z "$p" ] || kill -9 "$p" 2>/dev/null; done
  ip netns del $a 2>/dev/null
  ip netns del $b 2>/dev/null
  rm -rf "$work"
}
started=()
trap cleanup EXIT
export SLUICE_LOG=error

hosts() {
  ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null
  ip netns add $a && ip netns add $b || exit 3
  for n in 1 2; do
    ip link add eth$n netns $a type veth peer name eth$n netns $b
    for side in $a:1 $b:2; do
      ip -n ${side%:*} addr add 10.9$n.0.${side#*:}/24 dev eth$n
      ip -n ${side%:*} link set eth$n up
      ip netns exec ${side%:*} tc qdisc add dev eth$n root tbf rate 400mbit burst 256kb latency 20ms
    done
  done
  ip -n $a link set lo up; ip -n $b link set lo up
}
sluice() { ip netns exec "$1" "$program" "${@:2}"; }
common=(--gpus 2 --channels 4 --backend host --size 4MiB --deadline 15s)
now() { date +%s%N; }
ready() { for _ in $(seq 600); do grep -q READY "$1" && return; sleep 0.1; done; return 1; }

# fault NAME TRANSPORT EXPECTED-TEXT: runs both, calls inject_NAME once both are ready, waits for both and adds a row
fault() {
  local name=$1 transport=$2 test=$3 options=() t0 rc_s rc_c seconds
  hosts
  [ "$transport" = tcp ] || options=(--plugin "$work/fake.so")
  [ "$transport" = tcp ] && options=(--nics eth1,eth2)
  (export FAKE_NET_IFNAMES=eth1,eth2 FAKE_NET_ADDRESSES=10.91.0.1,10.92.0.1 ${environment:-_=_}
    exec ip netns exec $a "$program" server "${common[@]}" "${options[@]}" --steps stderr >"$work/s.out" 2>"$work/s.err") & server=$!
  (export FAKE_NET_IFNAMES=eth1,eth2 FAKE_NET_ADDRESSES=10.91.0.2,10.92.0.2 ${environment:-_=_}
    exec ip netns exec $b "$program" client 10.91.0.1 "${common[@]}" "${options[@]}" --steps stderr --duration "${duration:-6s}" \
      ${client_options:-} >"$work/c.out" 2>"$work/c.err") & client=$!
  started+=("$server" "$client")
  ready "$work/c.err"
  sleep 1
  t0=$(now)
  "inject_$name"
  wait $client; rc_c=$?
  seconds=$(((($(now) - t0) + 50000000) / 100000000))
  [ -z "${freeze:-}" ] || kill -CONT "$freeze" 2>/dev/null
  freeze=
  wait $server; rc_s=$?
  local said
  said=$( (grep -h '^sluice: ' "$work/c.err" || tail -n 1 "$work/c.out") | tail -n 1 | sed 's/^sluice: .* failed: /sluice: /' | cut -c1-240 | tr '|' '/')
  rows+=("| $transport | $title | $rc_c / $rc_s | $((seconds / 10)).$((seconds % 10)) s | $said | $test |")
  echo "${rows[-1]}"
}

inject_none() { :; }
inject_down() { ip -n $b link set eth2 down; }
inject_flap() { ip -n $b link set eth2 down; sleep 1; ip -n $b link set eth2 up; }
inject_drop() { ip netns exec $b nft -f - <<<'table inet f { chain c { type filter hook input priority 0; iifname "eth2" drop; }; }'; }
inject_alldrop() { ip netns exec $b nft -f - <<<'table inet f { chain c { type filter hook input priority 0; iifname "eth*" drop; }; }'; }
inject_slow() { ip netns exec $b tc qdisc replace dev eth2 root tbf rate 40mbit burst 64kb latency 20ms; }
inject_loss() { ip netns exec $b nft -f - <<<'table inet f { chain c { type filter hook input priority 0; iifname "eth2" numgen random mod 100 < 3 drop; }; }'; }
jvm() { local p=$1 c; c=$(pgrep -P "$p" java || true); echo "${c:-$p}"; }
inject_killed() { kill -9 "$(jvm $server)"; }
inject_frozen() { freeze=$(jvm $server); kill -STOP "$freeze"; (sleep 25; kill -CONT "$freeze" 2>/dev/null) & }
inject_stopped() { kill -TERM "$(jvm $server)"; }

wanted() { [ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }
only=("$@")
wanted plugin && command -v gcc >/dev/null && gcc -O2 -fPIC -shared testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c \
  -o "$work/fake.so" -lpthread -ldl
"$program" --version >/dev/null || exit 3

run() { title=$2; wanted "$1" && fault "$1" "$3" "$4"; }
run none 'nothing' tcp LoopbackIT
run down 'NIC down for good' tcp LinkSurvivalTest
run flap 'NIC down for 1 s' tcp 'survive/run.sh rails'
run drop 'one rail drops in silence' tcp LinkSurvivalTest
run alldrop 'all rails drop in silence' tcp 'survive/run.sh outage'
run slow 'a NIC at a tenth' tcp SimulationTest
run loss '3 % of packets lost' tcp -
run killed 'peer killed' tcp 'PeerDeathIT'
run frozen 'peer frozen for 25 s' tcp 'survive/run.sh peers'
run stopped 'peer stopped by SIGTERM' tcp StoppedIT
if [ -e "$work/fake.so" ]; then
  run none 'nothing' nccl-net PluginLoopbackIT
  run killed 'peer killed' nccl-net -
  run stopped 'peer stopped by SIGTERM' nccl-net StoppedIT
  environment='FAKE_NET_FAULTS=test:hang=20000@200' run none 'a call hangs for 20 s' nccl-net StoppedIT
  environment='FAKE_NET_FAULTS=test:exit=3@200' run none 'the plugin calls exit' nccl-net ExitNoticeTest
fi

[ ${#only[@]} = 0 ] || exit 0
[ -e docs/faults.md ] || { printf '# Faults\n\n<!-- made by bench/survive/faults.sh: begin -->\n<!-- end -->\n' >docs/faults.md; }
{
  sed '/<!-- made by bench\/survive\/faults.sh: begin -->/q' docs/faults.md
  echo
  echo "Two namespaces, two NICs of 400 Mbit/s, 2 GPUs x 4 channels, a run of 6 s, deadline 15 s; $(nproc) cores, $(date +%F), $(git rev-parse --short HEAD)."
  echo
  echo '| transport | fault after 1 s | exit client / server | client ended after | its last line | held by |'
  echo '|---|---|---|---|---|---|'
  printf '%s\n' "${rows[@]}"
  echo
  sed -n '/<!-- end -->/,$p' docs/faults.md
} >"$work/faults.md" && cat "$work/faults.md" >docs/faults.md
