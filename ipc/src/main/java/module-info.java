import org.sluice.ipc.IpcTransportProvider;
import org.sluice.spi.PullTransportProvider;

/** Two processes of one host hand each other parts of memory; whoever receives a transfer copies by itself. */
module org.sluice.ipc {
    requires org.slf4j;
    requires org.sluice.core;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    provides PullTransportProvider with
            IpcTransportProvider;
}
