package org.sluice.cli.run;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.PathTaken;
import org.sluice.cli.watch.Picture;
import org.sluice.cli.watch.Verdict;

/**
 * What a run came to, as it was measured; with {@code --json} it is the document. Times are wall clock from the first chunk to
 * the last byte landed: of each iteration on its own and summed when bytes are verified, since filling and comparing are not
 * transfer; of the whole run otherwise.
 *
 * @param role {@code server}, {@code client} or {@code loopback}
 * @param path which way the bytes went, and why not a better one
 * @param chunkBytes unit of striping that this side asks for
 * @param sizeBytes per GPU, direction and iteration
 * @param readyMillis from the start of this process until all channels of all GPUs were up
 * @param bytes payload of all transfers, sent and received by this side; a chunk that had to be sent again counts once here and
 *     twice in the NICs' and channels' bytes
 * @param gbPerSecond {@code bytes} of all GPUs over {@code seconds}, in 10^9 bytes a second
 * @param verifiedBytes bytes that were compared, on either side
 * @param mismatchedBytes of those, bytes in 4 KiB pages that hold a wrong one
 * @param firstMismatch where the first one was, null if there was none
 * @param nicsLeftOut network devices of this side that were not used though nobody said so
 * @param verdicts judgements on the run: docs/watching.md says which, and when each passes
 */
public record Report(
        String role,
        String peer,
        String backend,
        int gpus,
        int channelsPerGpu,
        String striping,
        String transport,
        PathTaken path,
        long chunkBytes,
        long sizeBytes,
        long iterations,
        boolean bidirectional,
        boolean verify,
        long readyMillis,
        long bytes,
        double seconds,
        double gbPerSecond,
        long verifiedBytes,
        long mismatchedBytes,
        @Nullable String firstMismatch,
        List<PerGpu> perGpu,
        List<PerNic> perNic,
        List<PerChannel> perChannel,
        List<NicLeftOut> nicsLeftOut,
        List<Verdict> verdicts) {

    /** A network device that was not used. @param reason continues its name: {@code is down} */
    public record NicLeftOut(String nic, String reason) {}

    /** A GPU, sent and received together. */
    public record PerGpu(int gpu, String name, long bytes, double seconds, double gbPerSecond) {}

    /**
     * A NIC of this side, and the kernel's word beside the engine's on what it carried.
     *
     * @param bytes payload over it
     * @param kernelDevice the kernel's network device behind it, null if there is none
     * @param kernelTxBytes what that device sent during the run, headers and other traffic of it included; loopback rails
     *     share one device, so each shows the whole
     * @param overheadTx what the kernel counted on top of the engine's payload, as a share of it
     * @param kernelAgrees whether that is what headers and acknowledgements explain
     * @param segmentsRetransmitted by the NIC's connections, as the kernel counts them
     */
    public record PerNic(
            String nic,
            long bytes,
            @Nullable String kernelDevice,
            @Nullable Long kernelTxBytes,
            @Nullable Long kernelRxBytes,
            @Nullable Double overheadTx,
            @Nullable Double overheadRx,
            @Nullable Boolean kernelAgrees,
            long segmentsRetransmitted) {
        static PerNic of(Picture.NicPart seen) {
            return new PerNic(
                    seen.nic(),
                    seen.sentBytes() + seen.receivedBytes(),
                    seen.device(),
                    seen.kernelSentBytes(),
                    seen.kernelReceivedBytes(),
                    seen.overheadSent(),
                    seen.overheadReceived(),
                    seen.agrees(),
                    seen.segmentsRetransmitted());
        }
    }

    /** A channel of this side. @param direction {@code send} or {@code receive} */
    public record PerChannel(
            int gpu,
            int channel,
            String direction,
            String nic,
            String peerNic,
            long bytes,
            long chunks,
            long damaged,
            long retried) {}

    static double gbPerSecond(long bytes, double seconds) {
        return seconds == 0 ? 0 : bytes / seconds / 1e9;
    }
}
