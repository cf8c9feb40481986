package org.sluice.cli.common;

import picocli.CommandLine.IVersionProvider;

/** {@code --version}: of Sluice, from its module, and of the Java that runs it. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getModule().getDescriptor().rawVersion().orElse("of an unknown build");
        return new String[] {"sluice " + version + ", Java " + Runtime.version()};
    }
}
