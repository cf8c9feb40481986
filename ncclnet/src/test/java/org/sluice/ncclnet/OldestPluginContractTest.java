package org.sluice.ncclnet;

final class OldestPluginContractTest extends PluginContract {
    OldestPluginContractTest() {
        super(FakePlugin.plain(5));
    }
}
