#!/usr/bin/env bash
# The seed's commands: one process for all 8 GPUs of a node, 8 channels each, every NIC for every GPU.
#   run_p2p_singleproc.sh server [options]
#   run_p2p_singleproc.sh client <server_ip> [options]
# The environment variables and further options are those of ./sluice; the steps are printed on stdout, as the seed prints them.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
usage() {
  echo "usage: $(basename "$0") server [options] | client <server_ip> [options]$1" >&2
  exit 2
}
case ${1:-} in
  server) shift; exec "$here/sluice" server --steps=stdout "$@" ;;
  client)
    case ${2:-} in '' | -*) usage " (the server's address is missing)" ;; esac
    host=$2; shift 2
    exec "$here/sluice" client "$host" --steps=stdout "$@"
    ;;
  *) usage "${1:+ (not a role: $1)}" ;;
esac
