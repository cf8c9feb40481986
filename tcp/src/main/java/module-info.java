import org.sluice.spi.RailProverProvider;
import org.sluice.spi.TransportProvider;
import org.sluice.tcp.TcpRailProverProvider;
import org.sluice.tcp.TcpTransportProvider;

/** The kernel TCP transport: the embedded default. */
module org.sluice.tcp {
    requires org.slf4j;
    requires org.sluice.core;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    provides TransportProvider with
            TcpTransportProvider;
    provides RailProverProvider with
            TcpRailProverProvider;
}
