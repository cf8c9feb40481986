package org.sluice.cli.common;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.sluice.ConfigException;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;

/**
 * NICs as users of NCCL name them: {@code eth1,eth2}; {@code eth}, every NIC whose name begins so; {@code =eth1}, that one and not
 * {@code eth10}; {@code ^docker,lo}, every NIC but those. {@code ^} and {@code =} before the first word hold for all.
 *
 * @param excluded whether the words say which NICs are not meant
 * @param exact whether a word is a whole name, not its beginning
 * @param words without the signs
 */
public record NicNames(boolean excluded, boolean exact, List<String> words) {
    /** Rails on this host, which are no devices. */
    private static final String RAIL = "lo[1-4]";

    /** @param given as on the command line or in the environment, split at commas */
    public static NicNames of(List<String> given) {
        List<String> words = new ArrayList<>(
                given.stream().map(String::strip).filter(w -> !w.isEmpty()).toList());
        boolean excluded = sign(words, "^");
        boolean exact = sign(words, "=");
        words.removeIf(String::isEmpty);
        if (excluded && words.isEmpty()) {
            throw new ConfigException("--nics ^: say which NICs are not to be used, as ^docker,lo");
        }
        return new NicNames(excluded, exact, List.copyOf(words));
    }

    private static boolean sign(List<String> words, String sign) {
        if (words.isEmpty() || !words.getFirst().startsWith(sign)) {
            return false;
        }
        words.replaceAll(w -> w.startsWith(sign) ? w.substring(sign.length()) : w);
        return true;
    }

    /** Whether names alone were given, which every transport understands. */
    public boolean plain() {
        return !excluded && !exact;
    }

    /** The names of this machine's NICs that are meant, in the order of the words. A word that fits none stays, to be told by the transport. */
    public List<String> here() {
        List<NetDevice> devices;
        try {
            devices = words.isEmpty() ? List.of() : NetDevices.list();
        } catch (IOException e) {
            throw new ConfigException("the network devices cannot be read: " + e.getMessage(), e);
        }
        return among(
                devices.stream().map(NetDevice::name).toList(),
                devices.stream()
                        .filter(d ->
                                d.running() && !d.loopback() && !d.addresses().isEmpty())
                        .map(NetDevice::name)
                        .toList());
    }

    /** @param all names of devices; @param usable those that may be meant without being named in full */
    List<String> among(List<String> all, List<String> usable) {
        if (excluded) {
            List<String> rest = usable.stream()
                    .filter(n -> words.stream().noneMatch(w -> fits(n, w)))
                    .toList();
            if (rest.isEmpty()) {
                throw new ConfigException("--nics ^" + String.join(",", words) + " leaves no NIC of "
                        + String.join(", ", usable) + "; exclude fewer");
            }
            return rest;
        }
        Set<String> chosen = new LinkedHashSet<>();
        for (String w : words) {
            List<String> meant = exact || all.contains(w) || w.matches(RAIL)
                    ? List.of(w)
                    : usable.stream().filter(n -> fits(n, w)).toList();
            if (!meant.stream().allMatch(chosen::add) && meant.size() == 1) {
                throw new ConfigException("NIC " + w + " is named twice");
            }
            if (meant.isEmpty()) {
                chosen.add(w);
            }
        }
        return List.copyOf(chosen);
    }

    private boolean fits(String name, String word) {
        return exact ? name.equals(word) : name.startsWith(word);
    }
}
