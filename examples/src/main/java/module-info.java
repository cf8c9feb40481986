/** A complete sender and receiver. */
module org.sluice.examples {
    requires org.sluice.core;
    requires static transitive org.jspecify;
}
