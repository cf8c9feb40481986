package org.sluice.cli.doctor;

/**
 * One thing that was looked at.
 *
 * @param check what kind of look: {@code nic}, {@code route}
 * @param subject what was looked at: {@code eth1}, {@code port 20003}
 * @param found what is so
 * @param advice what to do; empty where nothing is to be done
 */
public record Finding(Severity severity, String check, String subject, String found, String advice) {
    static Finding ok(String check, String subject, String found) {
        return new Finding(Severity.OK, check, subject, found, "");
    }

    static Finding note(String check, String subject, String found, String advice) {
        return new Finding(Severity.NOTE, check, subject, found, advice);
    }

    static Finding warning(String check, String subject, String found, String advice) {
        return new Finding(Severity.WARNING, check, subject, found, advice);
    }

    static Finding problem(String check, String subject, String found, String advice) {
        return new Finding(Severity.PROBLEM, check, subject, found, advice);
    }
}
