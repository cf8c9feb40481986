package org.sluice.transfer;

/** Where a link's notifications go. Called on the agent's thread, which it must not hold up. */
public interface NotificationListener {
    /** A transfer has landed with it. @param tag of a tagged send, else 0 @param length bytes of the transfer */
    void notified(byte[] notification, long tag, long length);

    /** A transfer that carried it has failed: nobody is told. */
    default void dropped(byte[] notification) {}
}
