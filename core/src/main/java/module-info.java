/** The engine and the public API of Sluice. Knows no transport, no CUDA and no plugin: those are found with ServiceLoader. */
module org.sluice.core {
    requires jdk.jfr;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.sluice;
    exports org.sluice.rendezvous;
    exports org.sluice.spi;

    uses org.sluice.Engine;
    uses org.sluice.spi.GpuBackend;
    uses org.sluice.spi.PullTransportProvider;
    uses org.sluice.spi.RailProverProvider;
    uses org.sluice.spi.TransportProvider;

    provides org.sluice.Engine with
            org.sluice.engine.LocalEngine;
    provides org.sluice.spi.GpuBackend with
            org.sluice.host.HostGpuBackend;
}
