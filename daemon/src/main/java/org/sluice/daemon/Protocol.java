package org.sluice.daemon;

/** The numbers of the local protocol, as {@code docs/daemon.md} has them. They never change their meaning. */
final class Protocol {
    /** {@code SLUICE1} and a zero byte, read as a little-endian number. */
    static final long MAGIC = 0x0031_4543_4955_4c53L;

    static final int VERSION = 1;
    static final int HEAD_BYTES = 16;
    static final int MOST_PAYLOAD = 65536;
    static final int MOST_UNANSWERED = 16;

    // messages
    static final int HELLO = 1;
    static final int WELCOME = 2;
    static final int ERROR = 3;
    static final int DONE = 4;
    static final int REGISTER = 10;
    static final int DEREGISTER = 11;
    static final int LINK = 12;
    static final int UNLINK = 13;
    static final int SHARE = 14;
    static final int IMPORT = 15;
    static final int STATS = 16;
    static final int STATUS = 17;
    static final int PREPARE = 18;
    static final int RELEASE = 19;
    static final int BELL = 20;
    static final int GOODBYE = 21;
    static final int PARTS = 22;

    // the area
    static final int SUBMISSION_TAIL = 128;
    static final int SUBMISSION_HEAD = 256;
    static final int COMPLETION_TAIL = 384;
    static final int COMPLETION_HEAD = 512;
    static final int DAEMON_SLEEPS = 640;
    static final int CLIENT_WAITS = 768;
    static final int ROOM_WANTED = 896;
    static final int SUBMISSIONS = 4096;
    static final int SUBMISSION_BYTES = 128;
    static final int COMPLETION_BYTES = 64;

    // operations of a submission, and its flags
    static final int WRITE = 1;
    static final int READ = 2;
    static final int NOTIFY = 3;
    static final int CANCEL = 4;
    static final int WITH_NOTE = 1;
    static final int LISTED = 2;
    static final int PREPARED = 4;

    // kinds of completions
    static final int ENDED = 1;
    static final int NOTE = 2;
    static final int LINK_ENDED = 3;
    static final int NOTES_LOST = 4;

    static final int LOCAL_PIECE_BYTES = 24;
    static final int REMOTE_PIECE_BYTES = 32;

    private Protocol() {}
}
