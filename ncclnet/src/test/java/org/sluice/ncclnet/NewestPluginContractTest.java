package org.sluice.ncclnet;

final class NewestPluginContractTest extends PluginContract {
    NewestPluginContractTest() {
        super(FakePlugin.plain(12));
    }
}
