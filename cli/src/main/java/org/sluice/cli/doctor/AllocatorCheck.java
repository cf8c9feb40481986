package org.sluice.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How PyTorch takes GPU memory, by the environment that it would be started with. Its plain allocator's memory can be shared between
 * processes by handles, and is one piece; that of the others cannot, or is many.
 */
final class AllocatorCheck implements Check {
    private static final List<String> VARIABLES =
            List.of("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF");

    @Override
    public String name() {
        return "allocator";
    }

    @Override
    public List<Finding> look(Patient patient) {
        return judge(System.getenv());
    }

    List<Finding> judge(Map<String, String> environment) {
        List<Finding> findings = new ArrayList<>();
        for (String variable : VARIABLES) {
            String value = environment
                    .getOrDefault(variable, "")
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("\\s", "");
            if (value.contains("expandable_segments:true")) {
                findings.add(Finding.warning(
                        name(),
                        variable,
                        "expandable_segments is on: tensors lie in mapped segments of 20 MiB, which have no IPC handle, so"
                                + " other processes (the daemon, same-host links) cannot map a tensor as one piece",
                        "expandable_segments:False for processes whose tensors are moved, or a pool of its own for them"
                                + " (torch.cuda.MemPool)"));
            }
            if (value.contains("backend:cudamallocasync")) {
                findings.add(Finding.warning(
                        name(),
                        variable,
                        "backend:cudaMallocAsync is on: its memory has neither an IPC handle nor a descriptor, so other"
                                + " processes cannot map it",
                        "use PyTorch's own allocator for processes whose tensors are moved"));
            }
        }
        return findings;
    }
}
