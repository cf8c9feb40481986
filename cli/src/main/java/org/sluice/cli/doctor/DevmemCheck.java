package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.DevmemSupport;
import org.sluice.linux.NetDevice;

/** Whether kernel and NIC can move TCP data into device memory by themselves. Nothing here needs it. */
final class DevmemCheck implements Check {
    @Override
    public String name() {
        return "devmem";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        for (NetDevice d : patient.nics()) {
            DevmemSupport s = DevmemSupport.of(d.name());
            String kernel = s.receive()
                    ? "the kernel has devmem TCP (receive" + (s.send() ? " and send)" : ")")
                    : "the kernel has no devmem TCP";
            switch (s.headerSplit()) {
                case ON -> findings.add(Finding.ok(name(), d.name(), kernel + ", the NIC splits headers from data"));
                case OFF ->
                    findings.add(Finding.note(
                            name(),
                            d.name(),
                            kernel + ", the NIC could split headers from data and does not",
                            "for devmem TCP: ethtool -G " + d.name() + " tcp-data-split on"));
                case UNSUPPORTED ->
                    findings.add(
                            Finding.ok(name(), d.name(), kernel + ", the NIC's driver cannot split headers from data"));
            }
        }
        return findings;
    }
}
