package org.sluice.cli.doctor;

/** How much a finding matters. */
public enum Severity {
    /** As it should be. */
    OK,
    /** Worth knowing; costs nothing here. */
    NOTE,
    /** The job runs, and slower or less safely than it could. */
    WARNING,
    /** The job cannot run, or not on that NIC. */
    PROBLEM
}
