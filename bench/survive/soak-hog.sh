#!/usr/bin/env bash
# sluice soak beside a CPU hog: so many busy loops on all cores of the machine (on two cores a load of 20 and more). Nothing breaks
# anything over the plugin, nor over tcp without a drill, so a channel that is given up there is a false verdict and the soak fails;
# with the drill nothing may fail.
#   bench/survive/soak-hog.sh [MINUTES=5] [plugin|tcp|tcp-drill]...
# Environment: HOGS (20); SLUICE, another program to put under test. plugin: the testkit's in mode TCPX (needs gcc).
set -uo pipefail
cd "$(dirname "$0")/../.."
program=${SLUICE:-$PWD/sluice} minutes=${1:-5} hogs=${HOGS:-20}
shift || true
[ $# -gt 0 ] || set -- plugin tcp tcp-drill
work=$(mktemp -d)
busy=()
trap 'kill "${busy[@]}" 2>/dev/null; rm -rf "$work"' EXIT
"$program" --version >/dev/null || exit 3
for ((h = 0; h < hogs; h++)); do
  (trap - EXIT; while :; do :; done) & busy+=($!)
done
bad=0
for what in "$@"; do
  options=(--duration "$minutes"m)
  case $what in
    plugin)
      gcc -O2 -fPIC -shared testkit/src/main/resources/org/sluice/testkit/c/fake_nccl_net.c -o "$work/fake.so" -lpthread -ldl || exit 3
      export FAKE_NET_MODE=tcpx
      options+=(--plugin "$work/fake.so") ;;
    tcp) options+=(--drill none) ;;
    tcp-drill) ;;
    *) echo "soak-hog.sh: plugin, tcp or tcp-drill, not $what" >&2; exit 2 ;;
  esac
  SLUICE_LOG=warn "$program" soak "${options[@]}" >"$work/out" 2>"$work/err"
  status=$?
  echo "$what, $minutes min, $hogs hogs, load $(cut -d' ' -f1 /proc/loadavg): status $status"
  sed 's/^/  /' "$work/out"
  [ "$what" = tcp-drill ] && grep '^sluice: ' "$work/err" | sed 's/^/  /' || tail -n 5 "$work/err" | sed 's/^/  /'
  [ $status = 0 ] || bad=$((bad + 1))
done
exit $bad
