#!/usr/bin/env bash
# kill -9 and SIGSTOP of a process that two others' transfers go to and from, at random moments, over the testkit's CUDA driver: the survivor
# hears of it within the limit, what it has open of the peer's is none afterwards, and every byte that it called moved is right.
# faults.sh [rounds=67], and half as many of SIGSTOP: 100 in all. About 5 s a round.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec mvn -q -B ${MVN_FLAGS:-} -pl cuda -am test -Dtest=FakePullTest -Dsurefire.failIfNoSpecifiedTests=false "-Dsluice.pull.rounds=${1:-67}" \
    -Djunit.jupiter.execution.timeout.mode=disabled
