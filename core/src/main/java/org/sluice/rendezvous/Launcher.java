package org.sluice.rendezvous;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the launchers of the field put into the environment of the processes that they start. */
final class Launcher {
    /** A pod of a JobSet: {@code jobset-replicatedJob-jobIndex-podIndex}. */
    private static final Pattern POD = Pattern.compile("(.+)-(\\d{1,6})-(\\d{1,6})");

    /** The first address in what mpirun says of itself: {@code 123.0;tcp://10.0.0.1,10.0.1.1:4711}. */
    private static final Pattern MPIRUN = Pattern.compile("tcp://([0-9.]+)[,:]");

    private Launcher() {}

    /**
     * What one launcher says; what it does not say is empty.
     *
     * @param name as messages name it
     * @param by the variables that ranks are from
     * @param hostBy from what the meeting place is
     */
    record Said(
            String name,
            OptionalInt rank,
            OptionalInt world,
            Optional<String> host,
            String by,
            String hostBy,
            String job) {
        static final Said NOTHING = new Said(
                "",
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                "nothing",
                "MASTER_ADDR or Slurm's list of nodes",
                "");
    }

    /** All of them, in the order of precedence. @param world what is known of it otherwise */
    static List<Said> all(Variables v, OptionalInt world) {
        return List.of(leaderWorkerSet(v), jobSet(v, world), torchrun(v), mpi(v), slurm(v));
    }

    /** The meeting place for a launcher that has none: what users of PyTorch set by hand, else the first node of a Slurm allocation. */
    static Optional<String> anyHost(Variables v) {
        return v.text("MASTER_ADDR").or(() -> slurmHost(v));
    }

    private static Said leaderWorkerSet(Variables v) {
        return new Said(
                "LeaderWorkerSet",
                v.number("LWS_WORKER_INDEX"),
                v.number("LWS_GROUP_SIZE"),
                v.text("LWS_LEADER_ADDRESS"),
                "LeaderWorkerSet's LWS_WORKER_INDEX and LWS_GROUP_SIZE",
                "LWS_LEADER_ADDRESS",
                v.text("LWS_LEADER_ADDRESS").orElse(""));
    }

    /**
     * Kubernetes sets JOB_COMPLETION_INDEX in each pod of an indexed job by itself. JobSet adds nothing, but its labels can be had as
     * variables of their names: JOBSET_NAME, JOB_GLOBAL_INDEX, GLOBAL_REPLICAS, COORDINATOR.
     */
    private static Said jobSet(Variables v, OptionalInt world) {
        OptionalInt pod = v.number("JOB_COMPLETION_INDEX");
        Optional<Matcher> name = v.text("HOSTNAME").map(POD::matcher).filter(Matcher::matches);
        OptionalInt jobs = number(v, "GLOBAL_REPLICAS", "REPLICATEDJOB_REPLICAS");
        OptionalInt job = number(v, "JOB_GLOBAL_INDEX", "JOB_INDEX");
        int index = job.orElseGet(() -> jobs.isPresent() && name.isPresent()
                ? Integer.parseInt(name.get().group(2))
                : 0);
        int pods = jobs.isPresent() && jobs.getAsInt() > 0 && world.isPresent()
                ? Math.max(1, world.getAsInt() / jobs.getAsInt())
                : 1;
        OptionalInt rank = pod.isEmpty()
                ? job
                : OptionalInt.of(jobs.isPresent() || job.isPresent() ? index * pods + pod.getAsInt() : pod.getAsInt());
        Optional<String> host = v.text("COORDINATOR")
                .or(() -> v.text("JOBSET_NAME")
                        .flatMap(set -> name.map(
                                m -> m.group(1) + "-0-0." + v.text("SUBDOMAIN").orElse(set))));
        return new Said(
                "JobSet",
                rank,
                jobs,
                host,
                "JobSet's JOB_COMPLETION_INDEX" + (jobs.isPresent() ? " and GLOBAL_REPLICAS" : ""),
                v.text("COORDINATOR").isPresent() ? "COORDINATOR" : "JOBSET_NAME and HOSTNAME",
                v.text("JOBSET_NAME").orElse(""));
    }

    private static Said torchrun(Variables v) {
        return new Said(
                "torchrun",
                number(v, "RANK", "PET_NODE_RANK"),
                number(v, "WORLD_SIZE", "PET_NNODES"),
                v.firstOf("MASTER_ADDR", "PET_MASTER_ADDR"),
                "torchrun's RANK and WORLD_SIZE",
                "MASTER_ADDR",
                v.text("TORCHELASTIC_RUN_ID").filter(id -> !id.equals("none")).orElse(""));
    }

    private static Said mpi(Variables v) {
        return new Said(
                "MPI",
                number(v, "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK"),
                number(v, "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_NTASKS"),
                v.text("MASTER_ADDR").or(() -> slurmHost(v)).or(() -> mpirunsHost(v)),
                "MPI's "
                        + (v.text("OMPI_COMM_WORLD_RANK").isPresent()
                                ? "OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE"
                                : v.text("PMIX_RANK").isPresent() ? "PMIX_RANK" : "PMI_RANK and PMI_SIZE"),
                v.text("MASTER_ADDR").isPresent()
                        ? "MASTER_ADDR"
                        : slurmHost(v).isPresent() ? "Slurm's list of nodes" : "mpirun's own host",
                v.firstOf("OMPI_MCA_ess_base_jobid", "PMIX_NAMESPACE", "PMI_JOBID")
                        .orElse(""));
    }

    private static Said slurm(Variables v) {
        return new Said(
                "Slurm",
                v.number("SLURM_PROCID"),
                number(v, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"),
                slurmHost(v),
                "Slurm's SLURM_PROCID and SLURM_NTASKS",
                "the first of Slurm's list of nodes",
                v.firstOf("SLURM_JOB_ID", "SLURM_JOBID")
                        .map(id -> "Slurm job " + id)
                        .orElse(""));
    }

    /** Slurm gives rank 0 to the first node, unless tasks are distributed arbitrarily. */
    private static Optional<String> slurmHost(Variables v) {
        return v.firstOf("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
                .map(list -> HostList.expand(list).getFirst());
    }

    /** Open MPI 4 says where mpirun runs, and there rank 0 is, unless a list of hosts says otherwise. */
    private static Optional<String> mpirunsHost(Variables v) {
        return v.text("OMPI_MCA_orte_hnp_uri")
                .map(MPIRUN::matcher)
                .filter(Matcher::find)
                .map(m -> m.group(1));
    }

    private static OptionalInt number(Variables v, String... names) {
        OptionalInt found = OptionalInt.empty();
        for (int i = 0; found.isEmpty() && i < names.length; i++) {
            found = v.number(names[i]);
        }
        return found;
    }
}
