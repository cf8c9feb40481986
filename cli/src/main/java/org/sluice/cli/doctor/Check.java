package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.List;

/** One kind of look at the machine. Changes nothing. */
interface Check {
    /** The name its findings carry. */
    String name();

    /** @throws IOException when it cannot be looked at; the diagnosis says so and goes on */
    List<Finding> look(Patient patient) throws IOException;
}
