package org.sluice.cli.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sluice.linux.CpuSet;
import org.sluice.linux.NumaNode;
import org.sluice.linux.Topology;
import org.sluice.linux.Topology.Place;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class TopologyReportTest {
    private static Place place(String name, int numa, String path) {
        return new Place(name, "/sys/devices/pci0000:" + path, numa);
    }

    /** Two GPUs and two NICs, each pair behind a root port of its NUMA node. */
    private static TopologyReport report() {
        Topology t = new Topology(
                List.of(new NumaNode(0, CpuSet.parse("0-3")), new NumaNode(1, CpuSet.parse("4-7"))),
                List.of(
                        place("GPU0", 0, "00/0000:00:01.0/0000:01:00.0"),
                        place("GPU1", 1, "80/0000:80:01.0/0000:81:00.0")),
                List.of(
                        place("eth1", 0, "00/0000:00:01.0/0000:01:00.1"),
                        place("e<2>", 1, "80/0000:80:01.0/0000:81:00.1")));
        return TopologyReport.of(t, List.of("H100", "H100 & more"), null, List.of());
    }

    @Test
    void theMatrixReadsLikeNvidiaSmi() {
        List<String> lines = TopologyTable.of(report()).lines().toList();
        assertThat(lines.get(0).split(" {2,}", -1))
                .containsExactly("", "GPU0", "GPU1", "eth1", "e<2>", "CPU Affinity", "NUMA Affinity");
        assertThat(lines.get(1).split(" {2,}", -1)).containsExactly("GPU0", "X", "SYS", "PIX", "SYS", "0-3", "0");
        assertThat(lines.get(4).split(" {2,}", -1)).containsExactly("e<2>", "SYS", "PIX", "SYS", "X", "4-7", "1");
    }

    /** The module under test has no use for XML, and so its tests cannot read the XML module by themselves. */
    @BeforeAll
    static void readXml() {
        TopologyReportTest.class
                .getModule()
                .addReads(ModuleLayer.boot().findModule("java.xml").orElseThrow());
    }

    @Test
    void theDrawingHasEveryDeviceAndALineToTheNearestNic() throws Exception {
        Document svg = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(TopologySvg.of(report()))));
        NodeList devices = svg.getElementsByTagName("g");
        assertThat(devices.getLength()).isEqualTo(4);
        assertThat(((Element) devices.item(3)).getAttribute("data-name")).isEqualTo("e<2>");
        List<String> near = new ArrayList<>();
        NodeList lines = svg.getElementsByTagName("line");
        for (int i = 0; i < lines.getLength(); i++) {
            Element line = (Element) lines.item(i);
            if (line.getAttribute("class").equals("near")) {
                near.add(line.getAttribute("data-from") + " " + line.getAttribute("data-to"));
            }
        }
        assertThat(near).containsExactly("GPU0 eth1", "GPU1 e<2>");
    }
}
