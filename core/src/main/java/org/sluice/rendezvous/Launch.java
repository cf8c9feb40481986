package org.sluice.rendezvous;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.sluice.ConfigException;
import org.sluice.wire.HostPort;

/**
 * Which of how many processes this one is, and where they meet.
 *
 * @param rank from 0; rank 0 is the meeting place
 * @param world how many ranks there are, 1 to {@value #MOST_RANKS}
 * @param host where rank 0 can be reached
 * @param port of the meeting place
 * @param job what the launcher calls the job; ranks of another job are turned away. Empty where it says nothing
 * @param source from what all this was taken, as a line for people
 */
public record Launch(int rank, int world, String host, int port, String job, String source) {
    /** The port of the meeting place where nobody says another. */
    public static final int PORT = 20900;

    public static final int MOST_RANKS = 4096;

    public Launch {
        if (world < 1 || world > MOST_RANKS) {
            throw new ConfigException("the world has " + world + " ranks, it may have 1 to " + MOST_RANKS);
        }
        if (rank < 0 || rank >= world) {
            throw new ConfigException(
                    "rank " + rank + " is not in 0 to " + (world - 1) + ", the ranks of a world of " + world);
        }
    }

    /**
     * What the user says.
     *
     * @param meeting {@code host} or {@code host:port}
     */
    public record Given(OptionalInt rank, OptionalInt world, Optional<String> meeting) {
        public static final Given NOTHING = new Given(OptionalInt.empty(), OptionalInt.empty(), Optional.empty());
    }

    /**
     * What the user says counts before {@code SLUICE_RANK}, {@code SLUICE_WORLD} and {@code SLUICE_RENDEZVOUS}, those before what LeaderWorkerSet,
     * JobSet, torchrun, MPI or Slurm say, in this order; one by one, so that a launcher's ranks can meet at a place of the user's.
     *
     * @param environment variables of this process
     * @throws ConfigException when that does not say all, with what is missing
     */
    public static Launch find(Given given, Map<String, String> environment) {
        Variables variables = new Variables(environment);
        Given own = new Given(
                variables.number("SLUICE_RANK"), variables.number("SLUICE_WORLD"), variables.text("SLUICE_RENDEZVOUS"));
        OptionalInt rank = given.rank().isPresent() ? given.rank() : own.rank();
        OptionalInt world = given.world().isPresent() ? given.world() : own.world();
        Optional<String> meeting = given.meeting().or(own::meeting);
        Launcher.Said said = Launcher.all(variables, world).stream()
                .filter(s ->
                        s.rank().isPresent() && (world.isPresent() || s.world().isPresent()))
                .findFirst()
                .or(() -> Launcher.all(variables, world).stream()
                        .filter(s -> s.rank().isPresent())
                        .findFirst())
                .orElse(Launcher.Said.NOTHING);

        int r = (rank.isPresent() ? rank : said.rank())
                .orElseThrow(() -> new ConfigException(
                        "nothing says which rank this is; give --rank, --world and --rendezvous, or set"
                                + " SLUICE_RANK, SLUICE_WORLD and SLUICE_RENDEZVOUS (looked for LWS_WORKER_INDEX, JOB_COMPLETION_INDEX,"
                                + " RANK, OMPI_COMM_WORLD_RANK, PMIX_RANK, PMI_RANK and SLURM_PROCID too)"));
        int w = (world.isPresent() ? world : said.world())
                .orElseThrow(() ->
                        new ConfigException("nothing says how many ranks there are; give --world or set SLUICE_WORLD"
                                + (said.name().isEmpty() ? "" : " (" + said.name() + " says rank " + r + " alone)")));
        HostPort at = meeting.map(Launch::meeting)
                .or(() -> said.host().map(h -> new HostPort(h, PORT)))
                .or(() -> Launcher.anyHost(variables).map(h -> new HostPort(h, PORT)))
                .orElseThrow(
                        () -> new ConfigException(
                                (said.name().isEmpty() ? "nothing says" : said.name() + " does not say")
                                        + " where the ranks meet; give --rendezvous HOST[:PORT] or set SLUICE_RENDEZVOUS, with the host of rank 0"));
        return new Launch(r, w, at.host(), at.port(), said.job(), source(given, own, said, r, w, at));
    }

    /** @param text {@code host} or {@code host:port} */
    private static HostPort meeting(String text) {
        boolean bare = text.startsWith("[") ? text.endsWith("]") : text.indexOf(':') < 0;
        return HostPort.of("the meeting place", bare ? text + ":" + PORT : text);
    }

    private static String source(Given given, Given own, Launcher.Said said, int rank, int world, HostPort at) {
        String rankFrom = from(given.rank().isPresent(), "--rank", own.rank().isPresent(), "SLUICE_RANK", said.by());
        String worldFrom =
                from(given.world().isPresent(), "--world", own.world().isPresent(), "SLUICE_WORLD", said.by());
        String numbers =
                rankFrom.equals(worldFrom) ? "rank and world " + rankFrom : "rank " + rankFrom + ", world " + worldFrom;
        String meeting = from(
                given.meeting().isPresent(),
                "--rendezvous",
                own.meeting().isPresent(),
                "SLUICE_RENDEZVOUS",
                said.hostBy());
        return "rank " + rank + " of " + world + ", meeting at " + at + " (" + numbers + ", meeting place " + meeting
                + ")";
    }

    private static String from(boolean given, String option, boolean set, String variable, String launcher) {
        return "from " + (given ? option : set ? variable : launcher);
    }
}
