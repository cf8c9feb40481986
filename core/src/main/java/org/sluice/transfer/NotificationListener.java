package org.sluice.transfer;

import java.util.function.Consumer;

/** Where a link's notifications go. Called on the agent's thread, which it must not hold up. */
public interface NotificationListener {
    /** A transfer has landed with it. @param tag of a tagged send, else 0 @param length bytes of the transfer */
    void notified(byte[] notification, long tag, long length);

    /** A transfer that carried it has failed: nobody is told. */
    default void dropped(byte[] notification) {}

    /** The same, with somebody who is told of what is dropped. */
    static NotificationListener of(NotificationListener notified, Consumer<byte[]> dropped) {
        return new NotificationListener() {
            @Override
            public void notified(byte[] notification, long tag, long length) {
                notified.notified(notification, tag, length);
            }

            @Override
            public void dropped(byte[] notification) {
                dropped.accept(notification);
            }
        };
    }
}
