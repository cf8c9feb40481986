package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/** The versions of the plugin API that can be driven, newest first. */
enum ApiVersion {
    V12(12),
    V11(11),
    V10(10),
    V9(9),
    V8(8),
    V7(7),
    V6(6),
    V5(5);

    final int number;

    ApiVersion(int number) {
        this.number = number;
    }

    /** The data symbol that a plugin of this version exports. */
    String symbol() {
        return "ncclNetPlugin_v" + number;
    }

    NetFunctions read(MemorySegment table) {
        return NetFunctions.read(table, number);
    }

    NetApi adapter(NetFunctions functions) {
        return switch (this) {
            case V12, V11 -> new NetApiV11(functions);
            case V10 -> new NetApiV10(functions);
            case V9 -> new NetApiV9(functions);
            case V8 -> new NetApiV8(functions);
            case V7 -> new NetApiV7(functions);
            case V6, V5 -> new NetApi(functions);
        };
    }

    /** What a library exports, newest first. */
    static List<ApiVersion> exportedBy(SharedLibrary library) {
        return Arrays.stream(values())
                .filter(v -> library.symbol(v.symbol()).isPresent())
                .toList();
    }
}
