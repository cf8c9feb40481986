#!/usr/bin/env bash
# The measured runs of what survives what. Namespaces need root.
#   bench/survive/run.sh rails [rounds=20] [rate=400mbit]   four shaped NICs, one taken away and given back in each round
#   bench/survive/run.sh control [rounds=20] [rate=200mbit]  the NIC of the control connection goes in mid-transfer, four others stay
#   bench/survive/run.sh outage                           all NICs down for 3 s, then for good
#   bench/survive/run.sh peers [rounds=100] [limit=5000]  kill -9 and SIGSTOP of the peer at random moments
#   bench/survive/run.sh agents [rounds=100] [limit=5000]  something is thrown on an agent at a random moment: all ends, nothing is left
#   bench/survive/run.sh cost [rounds=9] [channels=8]      checksums, encryption, strangers; each paired with plain
#   bench/survive/run.sh fuzz [seconds=600]               every fuzz target, so much CPU time each or 10 million cases
#   bench/survive/run.sh simulation [seeds=10000]         the data plane over wires with every fault, prepared lists, cancels, lies
#   bench/survive/run.sh hostile SECONDS SECRET [rate] [rate of the fifth NIC]  a hostile peer beside an honest link: see hostile.sh
#   bench/survive/run.sh links [ms at rest=10000] [peers=125] [125] [250] [500] [1000]  one node and so many peers of 8 links each, without a
#     socket: heap, control bytes at rest and time for each link; the first number of peers warms up
#   bench/survive/run.sh busy [forks=10]                  a chunk's cost with 1 busy link of 1 and of 512, in turn, each in a JVM of its own
#   bench/survive/run.sh rush [clients=1000] [strangers=200] [deadline=30]  clients that come at once from four addresses, beside strangers
#   bench/survive/run.sh hosts [rounds=200] [seed=1]      random pairs of hosts: every rail is found or its absence is said
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:-}; shift || true
memory_sockets="-XX:+UseSerialGC -Djava.nio.channels.spi.SelectorProvider=org.sluice.sockets.MemorySockets"
case $what in
    rails) main=org.sluice.tcp.survive.RailRounds ;;
    control) main=org.sluice.tcp.survive.ControlRounds ;;
    outage) main=org.sluice.tcp.survive.OutageRound ;;
    peers) main=org.sluice.tcp.survive.PeerRounds options=-XX:NativeMemoryTracking=summary ;;
    agents) module=core main=org.sluice.engine.AgentRounds ;;
    links)
        module=core main=org.sluice.SimulatedPeers
        options="-Xms3g -Xmx3g -XX:MaxDirectMemorySize=8g -Xss256k $memory_sockets"
        ;;
    busy) module=core main=org.sluice.BusyLink options="-Xms1g -Xss256k $memory_sockets" ;;
    rush) main=org.sluice.tcp.survive.ClientRush ;;
    hostile) main=org.sluice.tcp.survive.HostileRounds ;;
    hosts) main=org.sluice.tcp.rails.RandomHostsRounds ;;
    cost) main=org.sluice.tcp.survive.CostRounds ;;
    fuzz) exec mvn -B -pl tcp -am test -Dtest='*FuzzTest' -Dsurefire.failIfNoSpecifiedTests=false "-Dfuzz.seconds=${1:-600}" ;;
    simulation) exec mvn -B -pl core -am test -Dtest='SimulationTest,ForgeryTest' -Dsurefire.failIfNoSpecifiedTests=false "-Dsimulation.seeds=${1:-10000}" ;;
    *) sed -n '2,18s/^# //p' "$0"; exit 2 ;;
esac
module=${module:-tcp}
mvn -q -B -pl "$module" -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath -DincludeScope=test
jdk=${JAVA25_HOME:-$(ls -d /usr/lib/jvm/*25* 2>/dev/null | head -1)}
[ -x "$jdk/bin/java" ] || { echo "no JDK 25 under /usr/lib/jvm; set JAVA25_HOME" >&2; exit 1; }
start=("$jdk/bin/java" ${options:-} --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "$module/target/test-classes:$module/target/classes:$(cat "$module/target/classpath")" "$main")
if [ "$what" = busy ]; then
    source bench/throughput/common.sh
    declare -A cost=([1]='' [512]='') whole=([1]='' [512]='')
    for ((i = 0; i < ${1:-10}; i++)); do
        for links in $((i % 2 ? 512 : 1)) $((i % 2 ? 1 : 512)); do
            said=$("${start[@]}" "$links" 5 5)
            echo "$said"
            cost[$links]+=" $(field agent_ns_a_chunk <<<"$said")" whole[$links]+=" $(field ns_a_chunk <<<"$said")"
        done
    done
    one=$(median ${cost[1]}) many=$(median ${cost[512]})
    echo "$(machine): $one ns of the agent's CPU time a chunk with 1 link, $many with 1 busy of 512: $(calc "$many / $one");" \
        "from chunk to chunk $(median ${whole[1]}) and $(median ${whole[512]}) ns (medians of ${1:-10} forks in turn)"
    exit
fi
exec "${start[@]}" "$@"
