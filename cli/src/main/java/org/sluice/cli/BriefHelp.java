package org.sluice.cli;

import picocli.CommandLine.Help;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What {@code --help} prints: the everyday options, so that a screen holds them, and where the others are. */
final class BriefHelp extends Help {
    private final CommandSpec command;

    BriefHelp(CommandSpec command, ColorScheme colours) {
        super(command, colours);
        this.command = command;
    }

    @Override
    public String footer(Object... parameters) {
        return more() + super.footer(parameters);
    }

    private String more() {
        long hidden = command.options().stream().filter(OptionSpec::hidden).count();
        return hidden == 0
                ? ""
                : "There are " + hidden + " more options: sluice help " + command.name() + System.lineSeparator();
    }
}
