/** Linux through {@code java.lang.foreign}: NICs, topology, counters, CPU affinity, sockets. */
module org.sluice.linux {
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.sluice.linux;
}
