/** The command line. */
module org.sluice.cli {
    requires info.picocli;
    requires jdk.httpserver;
    requires jdk.jfr;
    requires jdk.net;
    requires org.slf4j;
    requires org.sluice.core;
    requires org.sluice.daemon;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    uses org.sluice.spi.GpuBackend;
    uses org.sluice.spi.PullTransportProvider;
    uses org.sluice.spi.TransportProvider;

    // commands, their options and the converters of those
    opens org.sluice.cli to
            info.picocli;
    opens org.sluice.cli.affinity to
            info.picocli;
    opens org.sluice.cli.bench to
            info.picocli;
    opens org.sluice.cli.common to
            info.picocli;
    opens org.sluice.cli.daemon to
            info.picocli;
    opens org.sluice.cli.doctor to
            info.picocli;
    opens org.sluice.cli.job to
            info.picocli;
    opens org.sluice.cli.matrix to
            info.picocli;
    opens org.sluice.cli.options to
            info.picocli;
    opens org.sluice.cli.run to
            info.picocli;
    opens org.sluice.cli.soak to
            info.picocli;
    opens org.sluice.cli.topology to
            info.picocli;
}
