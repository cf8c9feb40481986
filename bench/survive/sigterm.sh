#!/usr/bin/env bash
# SIGTERM in each phase of a process's life (waiting, bootstrap, rail search, making channels, running, closing) over each transport
# (tcp, ipc, a plugin, a plugin one of whose calls hangs for two minutes), at the server and at the client: how long until it is gone.
# "peer frozen" is a peer that got SIGSTOP just before, so that nothing of the goodbye is answered; "silent NICs" drop every packet. Before the
# signal the process is asked for its metrics, which it answers from its start to its end. A round counts when the process is gone within
# 10 s with the signal's exit status; one in which it had done all its work before the signal came is made again. 50 rounds are every row at both sides once; about 6 minutes on two cores. Needs gcc for the
# plugin, and ip and nft (root) for the rail search.
#   bench/survive/sigterm.sh [ROUNDS=50] [FIRST=1]
# Environment: SLUICE, another program to put under test; LIMIT=10 seconds; SEED, of the moments at which it comes.
set -uo pipefail
cd "$(dirname "$0")/../.."
program=${SLUICE:-$PWD/sluice} rounds=${1:-50} first=${2:-1} limit=${LIMIT:-10}
RANDOM=${SEED:-$((RANDOM))}
seed=$RANDOM
RANDOM=$seed
work=$(mktemp -d)
a=st$$a b=st$$b
export SLUICE_LOG=error
server= client=
end_both() {
  for p in $server $client; do kill -9 "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
  server= client=
}
cleanup() {
  end_both
  ip netns del $a 2>/dev/null
  ip netns del $b 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

# phase, transport, what hangs: who of the plugin's calls, or the peer, or the NICs
rows=(
  'waiting tcp' 'waiting ipc' 'waiting plugin'
  'bootstrap tcp peer' 'bootstrap plugin peer'
  'rails tcp nics' 'rails plugin nics'
  'channels tcp peer' 'channels ipc peer' 'channels plugin peer'
  'channels plugin listen' 'channels plugin connect' 'channels plugin accept' 'channels plugin regmr' 'opening plugin init'
  'running tcp' 'running tcp peer' 'running ipc' 'running ipc peer' 'running plugin isend' 'running plugin test'
  'closing tcp peer' 'closing ipc peer' 'closing plugin peer' 'closing plugin close'
)
gcc -O2 -fPIC -shared testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c -o "$work/fake.so" -lpthread -ldl || exit 3
"$program" --version >/dev/null || exit 3

hosts() { # a NIC to meet over, and two that drop everything
  ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null
  ip netns add $a && ip netns add $b || exit 3
  local n side
  for n in 0 1 2; do
    ip link add eth$n netns $a type veth peer name eth$n netns $b
    for side in $a:1 $b:2; do
      ip -n ${side%:*} addr add 10.9$n.0.${side#*:}/24 dev eth$n
      ip -n ${side%:*} link set eth$n up
    done
  done
  ip -n $a link set lo up; ip -n $b link set lo up
  for side in $a $b; do
    ip netns exec $side nft -f - <<<'table inet f { chain c { type filter hook input priority 0; iifname "eth1" drop; iifname "eth2" drop; }; }'
  done
}

line() { # FILE TEXT SECONDS: waits for it
  local i
  for ((i = 0; i < $3 * 50; i++)); do
    grep -q -- "$2" "$1" 2>/dev/null && return
    sleep 0.02
  done
  return 1
}
start() { # server|client
  local role=$1 space=() host=127.0.0.1 options=(--gpus 2 --channels 2 --backend host --size 1MiB --deadline 60s --port "$port" --no-verify)
  local env=()
  case $transport in
    plugin)
      options+=(--plugin "$work/fake.so")
      case $hangs in
        '' | peer | nics) ;;
        *) env+=("FAKE_NET_FAULTS=$hangs:hang=120000$([ "$phase" = running ] && echo @200)") ;;
      esac ;;
    ipc) options+=(--transport ipc) ;;
    tcp) [ "$hangs" = nics ] && options+=(--nics eth1,eth2) || options+=(--nics lo1,lo2) ;;
  esac
  if [ "$hangs" = nics ]; then
    space=(ip netns exec "$([ "$role" = server ] && echo $a || echo $b)") host=10.90.0.1
    env+=(FAKE_NET_IFNAMES=eth1,eth2 "FAKE_NET_ADDRESSES=10.91.0.$([ "$role" = server ] && echo 1,10.92.0.1 || echo 2,10.92.0.2)")
  fi
  [ "$phase" = closing ] && options+=(--duration 1s) || options+=(--duration 10m)
  [ "$role" = "$victim" ] && options+=(--metrics "127.0.0.1:$((port + 100))")
  [ "$role" = client ] && options=("$host" "${options[@]}")
  env "${env[@]:-_=_}" "${space[@]}" "$program" "$role" "${options[@]}" >"$work/$role.out" 2>"$work/$role.err" &
  printf -v "$role" %s $!
}
peer() { [ "$victim" = server ] && echo client || echo server; }
freeze() { local p=$(peer); kill -STOP "${!p}"; }
pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }

# brings the victim into the phase
reach() {
  local v=$work/$victim.err p
  p=$work/$(peer).err
  case $phase in
    opening) start "$victim"; line "$v" 'Role' 1; pause $((1500 + RANDOM % 500)) ;;
    waiting) start "$victim"; line "$v" 'Step 1' 60; pause $((RANDOM % 500)) ;;
    bootstrap)
      if [ "$victim" = client ]; then
        start server; line "$p" 'SERVER. Step 2' 60; freeze
        start client; line "$v" 'Step 1' 60
      else
        # a client that has said hello and no more
        start server; line "$v" 'SERVER. Step 2' 60
        exec 5<>"/dev/tcp/127.0.0.1/$port"
      fi
      pause $((200 + RANDOM % 500)) ;;
    *)
      start server; start client
      case $phase in
        rails) line "$v" 'Step [12]: Bootstrap' 60; pause $((1000 + RANDOM % 1000)) ;;
        channels)
          if [ "$hangs" = listen ]; then line "$v" 'Step 1:' 60; pause $((200 + RANDOM % 500)) # it has 2 s
          elif [ "$hangs" = peer ]; then line "$v" 'Step [12]: Bootstrap' 60; pause $((RANDOM % 300)); else
            line "$v" 'Step [12]: Bootstrap' 60; pause $((1000 + RANDOM % 1000)); fi ;;
        running) line "$v" 'ALL GPUS READY' 60 || return; pause $((500 + RANDOM % 1000)) ;;
        closing) line "$v" 'ALL GPUS READY' 60 || return; pause $((900 + RANDOM % 400)) ;;
      esac
      [ "$hangs" != peer ] || freeze ;;
  esac
}
at() { # the phase in the process's own words
  local ns=()
  [ "$hangs" = nics ] && ns=(ip netns exec "$([ "$victim" = server ] && echo $a || echo $b)")
  "${ns[@]}" timeout 3 bash -c "exec 3<>/dev/tcp/127.0.0.1/$((port + 100)) && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && cat <&3" 2>/dev/null |
    grep -qE '^sluice_' && echo answered || echo silent
}

port=$((20000 + (RANDOM % 400) * 20)) good=0 worst=0 silent=0 again=0
for ((r = first; r < first + rounds; r++)); do
  n=$(((r - 1) % (2 * ${#rows[@]})))
  read -r phase transport hangs <<<"${rows[n / 2]}"
  hangs=${hangs:-}
  victim=$( ((n % 2)) && echo client || echo server)
  port=$((port + 10)); [ $port -lt 30000 ] || port=20000
  [ "$hangs" != nics ] || hosts
  : >"$work/server.err"; : >"$work/client.err"
  reached=yes
  reach || reached=no
  metrics=$(at)
  pid=${!victim}
  begin=$(date +%s%3N)
  kill -TERM "$pid"
  (sleep "$((limit + 20))"; kill -9 "$pid") 2>/dev/null & guard=$!
  wait "$pid"; status=$?
  took=$(($(date +%s%3N) - begin))
  kill $guard 2>/dev/null; wait $guard 2>/dev/null
  printf -v "$victim" ''
  if [ "$phase" = closing ] && ((status == 0 && again < 20)); then
    again=$((again + 1)) r=$((r - 1))
    end_both
    continue
  fi
  verdict=FAILED
  if ((status == 143 && took <= limit * 1000)) && [ $reached = yes ]; then verdict=gone good=$((good + 1)); fi
  ((took <= worst)) || worst=$took
  [ "$metrics" = answered ] || silent=$((silent + 1))
  said=$(grep '^sluice: ' "$work/$victim.err" | tail -n 1 | cut -c1-110)
  last=$(grep -E 'Step|READY|^\[GPU' "$work/$victim.err" | tail -n 1)
  echo "$r $victim, $phase over $transport${hangs:+, hangs: $hangs}: $verdict after $took ms with $status, metrics $metrics; it was at '$last'; $said"
  [ $verdict = gone ] || { tail -n 5 "$work/server.err" "$work/client.err" | sed 's/^/    /'; }
  exec 5>&- 2>/dev/null
  end_both
done
echo "$good of $rounds gone within $limit s, the slowest after $worst ms; $silent without metrics; seed $seed"
[ $good = "$rounds" ]
