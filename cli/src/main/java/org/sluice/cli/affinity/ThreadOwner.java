package org.sluice.cli.affinity;

/** Whose thread it is. */
public enum ThreadOwner {
    /** An agent or an I/O thread, which says itself where it wants to run. */
    SLUICE,
    /** Another thread of Java code. */
    JAVA,
    /** The JVM's own: collector, compilers, signal dispatcher. */
    JVM,
    /** Made by foreign code: a plugin, a driver. */
    FOREIGN
}
