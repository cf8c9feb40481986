import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** What is in the bundle, as CycloneDX 1.6: {@code java Sbom.java MODULES BUNDLE VERSION TIME FILE}. */
final class Sbom {
    private static final Pattern JAR = Pattern.compile("(.+?)-(\\d[\\w.]*)\\.jar");

    private Sbom() {}

    public static void main(String[] arguments) throws IOException, NoSuchAlgorithmException {
        Path bundle = Path.of(arguments[1]);
        String version = arguments[2];
        List<String> components = new ArrayList<>();
        TreeSet<Path> jars = new TreeSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(arguments[0]), "*.jar")) {
            files.forEach(jars::add);
        }
        for (Path jar : jars) {
            components.add(jar(jar));
        }
        Properties runtime = new Properties();
        try (var in = Files.newBufferedReader(bundle.resolve("release"))) {
            runtime.load(in);
        }
        components.add(component("platform", "", "java-runtime", unquoted(runtime.getProperty("JAVA_RUNTIME_VERSION",
                runtime.getProperty("JAVA_VERSION", "?"))), "", ""));
        for (String module : unquoted(runtime.getProperty("MODULES", "")).split(" ")) {
            if (module.startsWith("j")) {
                components.add(component("library", "", module, unquoted(runtime.getProperty("JAVA_VERSION", "?")), "", ""));
            }
        }
        for (String made : List.of("client/lib/libsluice.so." + version, "client/java/sluice-client-" + version + ".jar")) {
            Path file = bundle.resolve(made);
            if (Files.exists(file)) {
                components.add(component("library", "org.sluice", made, version, "", sha256(file)));
            }
        }
        Files.writeString(Path.of(arguments[4]), """
                {
                  "bomFormat": "CycloneDX",
                  "specVersion": "1.6",
                  "version": 1,
                  "metadata": {
                    "timestamp": "%s",
                    "component": {"type": "application", "group": "org.sluice", "name": "sluice", "version": "%s", "bom-ref": "sluice"}
                  },
                  "components": [
                %s
                  ]
                }
                """.formatted(arguments[3], version, String.join(",\n", components)));
    }

    private static String jar(Path jar) throws IOException, NoSuchAlgorithmException {
        Matcher name = JAR.matcher(jar.getFileName().toString());
        if (!name.matches()) {
            throw new IOException(jar + " has no version in its name");
        }
        String group = "";
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry pom = zip.stream()
                    .filter(e -> e.getName().matches("META-INF/maven/[^/]+/[^/]+/pom\\.properties"))
                    .findFirst()
                    .orElse(null);
            if (pom != null) {
                group = pom.getName().split("/")[2];
            }
        }
        if (group.isEmpty()) { // not built by Maven, or by our own without its descriptor
            group = switch (name.group(1)) {
                case "picocli" -> "info.picocli";
                case "jspecify" -> "org.jspecify";
                default -> {
                    if (!name.group(1).startsWith("sluice-")) {
                        throw new IOException(jar + " does not say whose it is; name it in Sbom.java");
                    }
                    yield "org.sluice";
                }
            };
        }
        return component("library", group, name.group(1), name.group(2),
                "pkg:maven/" + group + "/" + name.group(1) + "@" + name.group(2), sha256(jar));
    }

    private static String component(String type, String group, String name, String version, String purl, String sha256) {
        return "    {\"type\": \"" + type + "\""
                + (group.isEmpty() ? "" : ", \"group\": \"" + group + "\"")
                + ", \"name\": \"" + name + "\", \"version\": \"" + version + "\""
                + (purl.isEmpty() ? "" : ", \"purl\": \"" + purl + "\", \"bom-ref\": \"" + purl + "\"")
                + (sha256.isEmpty() ? "" : ", \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"" + sha256 + "\"}]")
                + "}";
    }

    private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private static String unquoted(String text) {
        return text.replace("\"", "");
    }
}
