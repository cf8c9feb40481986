#!/usr/bin/env bash
# The README's first command from a fresh clone, as nobody without HOME and with an empty environment; then the same in groups of the
# kernel that allow little memory, or few processes and threads. Each run has to do its work, or to say in one line why it cannot, and to
# end within two minutes either way. Needs root (to become nobody and to make the groups), Maven and a JDK 25; about 6 minutes.
#   bench/survive/fresh.sh
# Environment: REPOSITORY, a Maven repository to copy for a build without a network; CLONE, one that is built already.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
chmod 755 "$work"
groups=()
clean() {
  for g in "${groups[@]:-}"; do
    [ -n "$g" ] && [ -d "$g" ] || continue
    xargs -r kill -9 <"$g/cgroup.procs" 2>/dev/null
    sleep 0.2; rmdir "$g" 2>/dev/null
  done
  rm -rf "$work"
}
trap clean EXIT
clone=${CLONE:-$work/sluice}
if [ -z "${CLONE:-}" ]; then
  git clone -q --no-hardlinks "$root" "$clone" || exit 3
  if [ -n "${REPOSITORY:-}" ]; then
    mkdir -p "$clone/cli/target" "$clone/.mvn"
    cp -r "$REPOSITORY" "$clone/cli/target/repository"
    echo --offline >"$clone/.mvn/maven.config"
  fi
  chown -R nobody "$clone"
  chmod 700 "$clone"
fi
bad=0

# NAME GROUP LIMIT COMMAND...: as nobody, with nothing in its environment but a PATH
run() {
  local name=$1 group=$2 limit=$3 status begin took lines verdict=
  shift 3
  begin=$(date +%s%3N)
  (
    [ -z "$group" ] || echo $BASHPID >"$group/cgroup.procs" || exit 99
    cd "$clone" && exec env -i PATH="$PATH" timeout -k 5 "$limit" setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
  ) >"$work/out" 2>"$work/err"
  status=$?
  took=$(($(date +%s%3N) - begin))
  lines=$(grep '^sluice: ' "$work/err" | grep -vc '^sluice: building')
  if ((status == 0)); then verdict='did its work'
  elif ((status != 124 && status != 137 && lines == 1)) && ! grep -q '^	at \|^Exception in\|^# ' "$work/err"; then verdict='said why'
  else verdict=FAILED; bad=$((bad + 1)); fi
  echo "$name: $verdict, status $status after $((took / 1000)).$(printf '%03d' $((took % 1000))) s: $(grep '^sluice: ' "$work/err" | tail -n 1 | cut -c1-200)"
  [ "$verdict" != FAILED ] || tail -n 12 "$work/err" | sed 's/^/    /'
}

group() { # memory|pids LIMIT: makes one, and says where
  local g
  if [ -d "/sys/fs/cgroup/$1" ]; then
    g=/sys/fs/cgroup/$1/sluice-fresh-$$-$2
    mkdir "$g" || return
    [ "$1" = memory ] && echo "$2" >"$g/memory.limit_in_bytes" || true
    [ "$1" = pids ] && echo "$2" >"$g/pids.max" || true
  else
    g=/sys/fs/cgroup/sluice-fresh-$$-$1-$2
    mkdir "$g" && echo "$2" >"$g/$1.max" || return
  fi
  echo "$g"
}

if [ -z "${CLONE:-}" ]; then
  run 'first run, with the build' '' 540 ./sluice loopback --iters 3
  if [ ! -e "$clone/cli/target/built" ]; then
    grep -m 10 ERROR "$work/err"
    echo "nothing was built"
    exit 3
  fi
fi
run 'nobody, no HOME' '' 120 ./sluice loopback
for limit in 4G 2G 1G 512M 256M 128M 64M; do
  g=$(group memory $limit) || continue
  groups+=("$g")
  run "memory $limit" "$g" 120 ./sluice loopback
done
g=$(group memory 700M) && groups+=("$g") && run "memory 700M, 2 GPUs x 16 MiB" "$g" 120 ./sluice loopback --gpus 2 --size 16MiB
for limit in 400 200 120 90 60 40 25 12; do
  g=$(group pids $limit) || continue
  groups+=("$g")
  run "pids $limit" "$g" 120 ./sluice loopback
done
echo "$bad neither did their work nor said why"
[ $bad = 0 ]
