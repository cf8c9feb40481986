import org.sluice.ncclnet.NcclNetTransportProvider;
import org.sluice.spi.TransportProvider;

/** NCCL net plugins as a transport. */
module org.sluice.ncclnet {
    requires org.slf4j;
    requires org.sluice.core;
    requires static transitive org.jspecify;

    provides TransportProvider with
            NcclNetTransportProvider;
}
