/** The command line. */
module org.sluice.cli {
    requires info.picocli;
    requires jdk.httpserver;
    requires org.slf4j;
    requires org.sluice.core;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    uses org.sluice.spi.GpuBackend;

    opens org.sluice.cli to
            info.picocli;
}
