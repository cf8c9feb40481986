package org.sluice.peer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.Introduction;
import org.sluice.wire.Resume;

/** The links that clients made to this node, by the token under which their control connections come again. Any thread. */
final class Resumptions {
    private final Map<ByteBuffer, Resumable> links = new ConcurrentHashMap<>();

    /** A link whose control connection can move. */
    interface Resumable {
        /**
         * Takes this connection in the place of the one that the link has, if the peer proves that it may.
         *
         * @param on what was said on the new connection so far
         * @throws LinkException when it does not, or the link is over
         */
        void resume(FrameSocket socket, Resume resume, Introduction on) throws IOException;
    }

    void add(Introduction link, Resumable resumable) {
        links.put(ByteBuffer.wrap(link.token()), resumable);
    }

    void remove(Introduction link) {
        links.remove(ByteBuffer.wrap(link.token()));
    }

    /** Somebody asks to go on with a link. @throws LinkException when there is no such link, or it is not theirs */
    void resume(FrameSocket socket, Resume resume, Introduction on) throws IOException {
        Resumable link = links.get(ByteBuffer.wrap(resume.token()));
        if (link == null) {
            throw new LinkException(
                    ErrorCode.REFUSED, socket.where(), "the control connection of a link that is not here was to move");
        }
        link.resume(socket, resume, on);
    }
}
