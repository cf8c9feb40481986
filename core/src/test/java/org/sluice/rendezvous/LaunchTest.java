package org.sluice.rendezvous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.ConfigException;

/** Rank, world and meeting place, from what launchers set. */
class LaunchTest {
    private static Map<String, String> environment(String text) {
        Map<String, String> all = new HashMap<>();
        for (String pair : text.split(" ", -1)) {
            int at = pair.indexOf('=');
            all.put(pair.substring(0, at), pair.substring(at + 1));
        }
        return all;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        SLUICE_RANK=1 SLUICE_WORLD=4 SLUICE_RENDEZVOUS=10.0.0.1:4711                        | 1  | 4   | 10.0.0.1:4711      | SLUICE_RANK
        SLUICE_RANK=0 SLUICE_WORLD=2 SLUICE_RENDEZVOUS=node-0                               | 0  | 2   | node-0:20900       | SLUICE_RENDEZVOUS
        SLUICE_RANK=0 SLUICE_WORLD=2 SLUICE_RENDEZVOUS=[2001:db8::1]:99                     | 0  | 2   | [2001:db8::1]:99   | SLUICE_WORLD
        LWS_WORKER_INDEX=3 LWS_GROUP_SIZE=8 LWS_LEADER_ADDRESS=m-0.m.ns                     | 3  | 8   | m-0.m.ns:20900     | LeaderWorkerSet
        JOB_COMPLETION_INDEX=2 GLOBAL_REPLICAS=1 SLUICE_WORLD=4 COORDINATOR=s-n-0-0.s       | 2  | 4   | s-n-0-0.s:20900    | JobSet
        JOB_COMPLETION_INDEX=5 SLUICE_WORLD=16 JOBSET_NAME=mx HOSTNAME=mx-node-0-5          | 5  | 16  | mx-node-0-0.mx:20900 | JobSet
        JOB_COMPLETION_INDEX=0 JOB_GLOBAL_INDEX=3 GLOBAL_REPLICAS=8 COORDINATOR=c           | 3  | 8   | c:20900            | GLOBAL_REPLICAS
        JOB_COMPLETION_INDEX=1 JOB_INDEX=2 REPLICATEDJOB_REPLICAS=4 SLUICE_WORLD=8 COORDINATOR=c | 5 | 8 | c:20900          | COORDINATOR
        JOB_COMPLETION_INDEX=1 REPLICATEDJOB_REPLICAS=4 SLUICE_WORLD=8 JOBSET_NAME=a HOSTNAME=a-b-2-1 | 5 | 8 | a-b-0-0.a:20900 | JobSet
        RANK=7 WORLD_SIZE=16 MASTER_ADDR=10.1.1.1 MASTER_PORT=29500 LOCAL_RANK=0            | 7  | 16  | 10.1.1.1:20900     | torchrun
        PET_NODE_RANK=1 PET_NNODES=2 PET_MASTER_ADDR=master-0                               | 1  | 2   | master-0:20900     | torchrun
        OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=3 OMPI_MCA_orte_hnp_uri=9.0;tcp://10.2.0.9,10.3.0.9:4711 | 2 | 3 | 10.2.0.9:20900 | mpirun
        OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=3 SLUICE_RENDEZVOUS=h                   | 2  | 3   | h:20900            | MPI
        PMI_RANK=1 PMI_SIZE=2 MASTER_ADDR=h                                                 | 1  | 2   | h:20900            | PMI_RANK
        PMIX_RANK=1 SLURM_NTASKS=2 SLURM_JOB_NODELIST=n[3-4]                                | 1  | 2   | n3:20900           | PMIX_RANK
        SLURM_PROCID=15 SLURM_NTASKS=16 SLURM_JOB_NODELIST=gpu-[07-22] SLURM_JOB_ID=12      | 15 | 16  | gpu-07:20900       | Slurm
        SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_NODELIST=b[2,9] SLURM_JOB_NODELIST=b[1-9]  | 1  | 2   | b2:20900           | Slurm
        """)
    void takesWhatTheLauncherSays(String variables, int rank, int world, String meeting, String saidBy) {
        Launch launch = Launch.find(Launch.Given.NOTHING, environment(variables));
        assertThat(launch.rank()).isEqualTo(rank);
        assertThat(launch.world()).isEqualTo(world);
        assertThat((launch.host().contains(":") ? "[" + launch.host() + "]" : launch.host()) + ":" + launch.port())
                .isEqualTo(meeting);
        assertThat(launch.source())
                .contains("rank " + rank + " of " + world, meeting, saidBy)
                .doesNotContain("\n");
    }

    /** Each of these is there too, and the first that remains counts. */
    @Test
    void theOrderIsTheDocumented() {
        Map<String, String> all = environment(
                "SLUICE_RANK=1 SLUICE_WORLD=10 SLUICE_RENDEZVOUS=a LWS_WORKER_INDEX=2 LWS_GROUP_SIZE=10"
                        + " LWS_LEADER_ADDRESS=b JOB_COMPLETION_INDEX=3 GLOBAL_REPLICAS=1 COORDINATOR=c RANK=4 WORLD_SIZE=10 MASTER_ADDR=d"
                        + " OMPI_COMM_WORLD_RANK=5 OMPI_COMM_WORLD_SIZE=10 SLURM_PROCID=6 SLURM_NTASKS=10 SLURM_JOB_NODELIST=f");
        Launch.Given given = new Launch.Given(OptionalInt.of(0), OptionalInt.of(10), Optional.of("z"));
        assertThat(Launch.find(given, all).rank()).isZero();
        assertThat(Launch.find(given, all).host()).isEqualTo("z");
        List<List<String>> launchers = List.of(
                List.of("SLUICE_RANK", "SLUICE_RENDEZVOUS"),
                List.of("LWS_WORKER_INDEX", "LWS_LEADER_ADDRESS"),
                List.of("JOB_COMPLETION_INDEX", "COORDINATOR"),
                List.of("RANK"),
                List.of("OMPI_COMM_WORLD_RANK", "MASTER_ADDR"),
                List.of("SLURM_PROCID"));
        List<String> hosts = List.of("a", "b", "c", "d", "d", "f");
        for (int i = 0; i < launchers.size(); i++) {
            Launch launch = Launch.find(Launch.Given.NOTHING, all);
            assertThat(launch.rank()).isEqualTo(i + 1);
            assertThat(launch.host()).isEqualTo(hosts.get(i));
            launchers.get(i).forEach(all::remove);
        }
    }

    @Test
    void aPlaceOfTheUsersServesALaunchersRanks() {
        Launch.Given given = new Launch.Given(OptionalInt.empty(), OptionalInt.empty(), Optional.of("login:5000"));
        Launch launch = Launch.find(
                given, environment("SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_JOB_NODELIST=n[1-2] SLURM_JOB_ID=77"));
        assertThat(launch.host() + launch.port()).isEqualTo("login5000");
        assertThat(launch.source()).contains("SLURM_PROCID", "meeting place from --rendezvous");
        assertThat(launch.job()).isEqualTo("Slurm job 77");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        HOME=/root                                                     | give --rank, --world and --rendezvous
        RANK=1 MASTER_ADDR=x                                           | torchrun says rank 1 alone
        PMI_RANK=1 PMI_SIZE=2                                          | MPI does not say where the ranks meet; give --rendezvous
        RANK=two WORLD_SIZE=3 MASTER_ADDR=x                            | the variable RANK is 'two', it must be a whole number
        RANK=3 WORLD_SIZE=3 MASTER_ADDR=x                              | rank 3 is not in 0 to 2
        RANK=0 WORLD_SIZE=99999 MASTER_ADDR=x                          | it may have 1 to 4096
        SLUICE_RANK=0 SLUICE_WORLD=2 SLUICE_RENDEZVOUS=x:0             | host:port, with a port from 1 to 65535
        SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_JOB_NODELIST=n[1           | is no list of hosts
        """)
    void saysWhatIsMissingOrWrong(String variables, String words) {
        assertThatThrownBy(() -> Launch.find(Launch.Given.NOTHING, environment(variables)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        login                    | login
        n[1-3]                   | n1 n2 n3
        n[01-03,07]              | n01 n02 n03 n07
        n[098-101]               | n098 n099 n100 n101
        a1,b[2-3],c              | a1 b2 b3 c
        r[1-2]n[1-2]             | r1n1 r1n2 r2n1 r2n2
        gpu[1,3]-eth.x           | gpu1-eth.x gpu3-eth.x
        n[5]                     | n5
        """)
    void listsOfHostsAreExpanded(String list, String names) {
        assertThat(String.join(" ", HostList.expand(list))).isEqualTo(names);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        n[1-2
        n1-2]
        n[a-b]
        n[1-2-3]
        n[[1-2]]
        ,
        n[]
        n[1-99999999]
        """)
    void whatIsNoListIsRefused(String list) {
        assertThatThrownBy(() -> HostList.expand(list)).isInstanceOf(ConfigException.class);
    }
}
