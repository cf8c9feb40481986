/** A client of the Sluice daemon. */
module org.sluice.client {
    requires static transitive org.jspecify;

    exports org.sluice.client;
}
