package org.sluice.ncclnet;

/**
 * The functions of the {@code ncclNet} table, in its order. A version's table is the name, then every function that the version
 * knows. Source: the ncclNet_v5_t to ncclNet_v12_t structures of NCCL 2.30.
 */
enum NetFunction {
    INIT(5, true),
    DEVICES(5, true),
    GET_PROPERTIES(5, true),
    LISTEN(5, true),
    CONNECT(5, true),
    ACCEPT(5, true),
    REG_MR(5, true),
    REG_MR_DMA_BUF(6, false),
    DEREG_MR(5, true),
    ISEND(5, true),
    IRECV(5, true),
    IFLUSH(5, false),
    TEST(5, true),
    CLOSE_SEND(5, true),
    CLOSE_RECV(5, true),
    CLOSE_LISTEN(5, true),
    GET_DEVICE_MR(7, false),
    IRECV_CONSUMED(7, false),
    MAKE_V_DEVICE(9, false),
    FINALIZE(11, false),
    SET_NET_ATTR(11, false);

    /** First version of the plugin API that has it. */
    final int since;

    /** Whether nothing works without it. */
    final boolean required;

    NetFunction(int since, boolean required) {
        this.since = since;
        this.required = required;
    }

    /** Offset in the table of a version, or -1 where that version has none. */
    long offset(int version) {
        if (version < since) {
            return -1;
        }
        long slot = 1; // the name is first
        for (NetFunction f : values()) {
            if (f == this) {
                break;
            }
            slot += version >= f.since ? 1 : 0;
        }
        return slot * Long.BYTES;
    }

    static long tableBytes(int version) {
        long slots = 1;
        for (NetFunction f : values()) {
            slots += version >= f.since ? 1 : 0;
        }
        return slots * Long.BYTES;
    }
}
