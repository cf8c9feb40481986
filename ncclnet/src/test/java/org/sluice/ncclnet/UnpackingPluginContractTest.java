package org.sluice.ncclnet;

final class UnpackingPluginContractTest extends PluginContract {
    UnpackingPluginContractTest() {
        super(FakePlugin.tcpx().set("FRAGMENTS", "odd"));
    }
}
