#!/usr/bin/env bash
# Server and client as two processes over loopback, 8 GPUs; one is killed (kill -9) 0 to 0.7 s, at random, after the client's first
# step, so in the middle of the bootstrap, of making channels, or in the transfer: how long until the other ends by itself, and what it
# says. A side whose peer was killed before they had met waits for another: that is
# counted apart ("never met"), and lasts as long as --wait and --deadline say.
#   bench/survive/start-kills.sh [ROUNDS=24] [WAIT=12s]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
rounds=${1:-24} wait=${2:-12s}
"$root/sluice" --version >/dev/null
out=$(mktemp -d)
trap 'rm -rf "$out"; kill -9 $(jobs -p) 2>/dev/null || true' EXIT
port=$((21000 + RANDOM % 5000))
now() { date +%s%3N; }
met=0 worst=0 never=0 hung=0
for ((i = 0; i < rounds; i++)); do
  port=$((port + 8))
  "$root/sluice" server --port "$port" --wait "$wait" --deadline "$wait" --no-verify >"$out/server" 2>&1 &
  server=$!
  "$root/sluice" client 127.0.0.1 --port "$port" --deadline "$wait" --duration 60s --no-verify --steps stderr >"$out/client" 2>&1 &
  client=$!
  for ((look = 0; look < 3000; look++)); do
    if grep -q CLIENT "$out/client" 2>/dev/null; then break; fi
    sleep 0.01
  done
  after=$((RANDOM % 700))
  sleep "$(printf '0.%03d' "$after")"
  if ((i % 2)); then victim=$server survivor=$client who=client; else victim=$client survivor=$server who=server; fi
  disown "$victim"; kill -9 "$victim"
  begin=$(now)
  (sleep 40; kill -9 "$survivor" 2>/dev/null) & guard=$!
  status=0; wait "$survivor" || status=$?
  took=$(($(now) - begin))
  kill "$guard" 2>/dev/null || true; wait "$guard" 2>/dev/null || true
  says=$(grep '^sluice: ' "$out/$who" | tail -1 || true)
  if ((status == 137)); then
    hung=$((hung + 1))
  elif [[ $says == *"no server at"* || ($says == *"no client came"* && $says != *" after GPU "*) ]]; then
    never=$((never + 1))
  else
    met=$((met + 1)); ((took <= worst)) || worst=$took
  fi
  echo "killed $after ms after the first step: the $who ended after $took ms with status $status: $says"
done
echo "$rounds rounds: $met had met, the survivor ended after at most $worst ms; $never had never met; $hung hung"
