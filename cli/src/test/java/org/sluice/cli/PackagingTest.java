package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.sluice.cli.common.Environment;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import picocli.CommandLine;

/**
 * The files for containers and schedulers, as far as a machine without those can check them: they are well-formed, of the right kind,
 * every command in them is one that this command line takes, and every variable one that somebody reads.
 */
class PackagingTest {
    private static final Path DIST = Path.of("..", "dist", "src");

    /** What Sluice, the driver's container runtime, or the shell reads. */
    private static final Set<String> VARIABLES = new TreeSet<>(List.of(
            "SLUICE_SECRET",
            "SLUICE_SOCKET",
            "SLUICE_LOG",
            "SLUICE_RANK",
            "SLUICE_WORLD",
            "SLUICE_RENDEZVOUS",
            "NODE_ADDRESS",
            "NVIDIA_VISIBLE_DEVICES",
            "NVIDIA_DRIVER_CAPABILITIES"));

    private static List<Object> documents(String file) throws IOException {
        LoadSettings settings =
                LoadSettings.builder().setAllowDuplicateKeys(false).build();
        List<Object> all = new ArrayList<>();
        new Load(settings)
                .loadAllFromString(Files.readString(DIST.resolve(file)))
                .forEach(all::add);
        assertThat(all).as(file).isNotEmpty();
        return all;
    }

    /** What is at a path of keys and numbers. */
    private static Object at(Object node, Object... path) {
        Object here = node;
        for (Object step : path) {
            here = step instanceof Integer i ? ((List<?>) here).get(i) : ((Map<?, ?>) here).get(step);
            assertThat(here).as("%s of %s", step, Arrays.toString(path)).isNotNull();
        }
        return here;
    }

    private static List<String> words(Object list) {
        return ((List<?>) list).stream().map(String::valueOf).toList();
    }

    /** A command line of Sluice's: its words are taken, whatever the variables in them become. */
    private static void takes(List<String> arguments) {
        CommandLine main = Main.commandLine();
        List<String> filled = arguments.stream()
                .map(a -> a.replaceAll("\\$\\(NODE_ADDRESS\\)", "10.0.0.1").replaceAll("\\$\\{?\\w+}?", "1"))
                .toList();
        assertThat(main.getSubcommands()).containsKey(filled.getFirst());
        main.parseArgs(filled.toArray(String[]::new)); // throws where an option is none
    }

    private static void variables(Object container) {
        Object env = ((Map<?, ?>) container).get("env");
        if (env != null) {
            for (Object v : (List<?>) env) {
                assertThat(String.valueOf(at(v, "name")))
                        .satisfies(n -> assertThat(VARIABLES.contains(n) || Environment.VARIABLES.containsValue(n))
                                .as(n)
                                .isTrue());
            }
        }
    }

    private static void asNobody(Object podSpec, Object container) {
        assertThat(at(podSpec, "securityContext", "runAsNonRoot")).isEqualTo(true);
        assertThat(at(podSpec, "securityContext", "runAsUser")).isEqualTo(65532);
        assertThat(at(container, "securityContext", "allowPrivilegeEscalation")).isEqualTo(false);
        assertThat(words(at(container, "securityContext", "capabilities", "drop")))
                .containsExactly("ALL");
    }

    @Test
    void theDaemonSetServesClientsOfItsNode() throws IOException {
        Object set = documents("kubernetes/daemon.yaml").getFirst();
        assertThat(at(set, "apiVersion")).isEqualTo("apps/v1");
        assertThat(at(set, "kind")).isEqualTo("DaemonSet");
        assertThat(at(set, "spec", "selector", "matchLabels"))
                .isEqualTo(at(set, "spec", "template", "metadata", "labels"));
        Object pod = at(set, "spec", "template", "spec");
        Object container = at(pod, "containers", 0);
        asNobody(pod, container);
        assertThat(at(pod, "hostNetwork")).isEqualTo(true);
        takes(words(at(container, "args")));
        variables(container);
        List<String> probe = words(at(container, "readinessProbe", "exec", "command"));
        assertThat(probe.getFirst()).isEqualTo("/opt/sluice/bin/sluice");
        takes(probe.subList(1, probe.size()));
        // every mount has its volume, and the socket's folder is one of the node's
        TreeSet<String> volumes = new TreeSet<>();
        ((List<?>) at(pod, "volumes")).forEach(v -> volumes.add(String.valueOf(at(v, "name"))));
        ((List<?>) at(container, "volumeMounts"))
                .forEach(m -> assertThat(volumes).contains((String) at(m, "name")));
        assertThat(at(pod, "volumes", 0, "hostPath", "path")).isEqualTo("/run/sluice");
    }

    @Test
    void theJobSetGivesEveryNodeARankAndAMeetingPlace() throws IOException {
        Object set = documents("kubernetes/matrix.yaml").getFirst();
        assertThat(at(set, "apiVersion")).isEqualTo("jobset.x-k8s.io/v1alpha2");
        assertThat(at(set, "kind")).isEqualTo("JobSet");
        Object job = at(set, "spec", "replicatedJobs", 0);
        Object spec = at(job, "template", "spec");
        assertThat(at(spec, "completionMode")).isEqualTo("Indexed"); // which is what sets JOB_COMPLETION_INDEX
        assertThat(at(spec, "parallelism")).isEqualTo(at(spec, "completions"));
        Object pod = at(spec, "template", "spec");
        Object container = at(pod, "containers", 0);
        asNobody(pod, container);
        variables(container);
        List<String> arguments = words(at(container, "args"));
        assertThat(arguments)
                .contains("--world=" + at(spec, "completions"))
                .contains("--rendezvous=" + at(set, "metadata", "name") + "-" + at(job, "name") + "-0-0."
                        + at(set, "metadata", "name") + ":20900");
        if (Main.commandLine().getSubcommands().containsKey("matrix")) {
            takes(arguments);
        }
    }

    @Test
    void theComposeFileIsTwoHostsWithTwoNicsEach() throws IOException {
        Object file = documents("compose.yaml").getFirst();
        for (String service : List.of("server", "client")) {
            Object s = at(file, "services", service);
            takes(words(at(s, "command")));
            assertThat(words(at(s, "command")).getFirst()).isEqualTo(service);
            assertThat(((Map<?, ?>) at(s, "networks")).keySet()).isEqualTo(((Map<?, ?>) at(file, "networks")).keySet());
            assertThat(((Map<?, ?>) at(s, "environment")).keySet())
                    .allMatch(v -> VARIABLES.contains(String.valueOf(v)));
        }
        assertThat(words(at(file, "services", "client", "command"))).contains("--require-nics=2");
    }

    @Test
    void theBatchScriptStartsOneTaskANode() throws IOException {
        String script = Files.readString(DIST.resolve("slurm/matrix.sbatch"));
        assertThat(script).startsWith("#!/bin/bash\n").contains("#SBATCH --ntasks-per-node=1\n");
        Matcher command = Pattern.compile("srun .*\"\\$sluice\" (matrix .*)\n").matcher(script);
        assertThat(command.find()).isTrue();
        if (Main.commandLine().getSubcommands().containsKey("matrix")) {
            takes(List.of(command.group(1).replace("\"", "").split(" ", -1)));
        }
    }

    @Test
    void theImageIsOfTheBundleAndRunsAsNobody() throws IOException {
        List<String> lines = Files.readAllLines(DIST.resolve("Containerfile"));
        assertThat(lines.stream().filter(l -> l.startsWith("FROM "))).hasSize(2);
        assertThat(lines).contains("USER 65532:65532", "ENTRYPOINT [\"/opt/sluice/bin/sluice\"]");
        assertThat(lines).noneMatch(l -> l.contains("openjdk") || l.contains("temurin"));
        assertThat(lines.indexOf("USER 65532:65532"))
                .isGreaterThan(lines.lastIndexOf("COPY --from=bundle /opt/sluice /opt/sluice"));
        String unit = Files.readString(DIST.resolve("systemd/sluice-daemon.service"));
        Matcher start =
                Pattern.compile("ExecStart=/opt/sluice/bin/sluice (.*)\n").matcher(unit);
        assertThat(start.find()).isTrue();
        takes(List.of(start.group(1).split(" ", -1)));
    }
}
