/** For tests only. */
module org.sluice.testkit {
    requires static transitive org.jspecify;

    exports org.sluice.testkit;
}
