package org.sluice.linux;

/**
 * A thread of this process as the kernel sees it, Java's, the JVM's own, or a plugin's.
 *
 * @param tid the kernel's thread id
 * @param name its name, at most 15 bytes; a thread that nobody named has the name of the one that made it
 * @param mask the CPUs it may run on
 * @param lastCpu the CPU it ran on last
 */
public record OsThread(int tid, String name, CpuSet mask, int lastCpu) {}
