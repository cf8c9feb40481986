/** NCCL net plugins as a transport. */
module org.sluice.ncclnet {
    requires org.slf4j;
    requires org.sluice.core;
    requires static transitive org.jspecify;
}
