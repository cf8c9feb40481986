/** One node that serves other local processes through Unix sockets and shared memory. */
module org.sluice.daemon {
    requires org.slf4j;
    requires transitive org.sluice.core;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    exports org.sluice.daemon;
}
