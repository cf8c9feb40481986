/** What makes the job slow or impossible on this machine, found by looking, each with what to do about it. */
@NullMarked
package org.sluice.cli.doctor;

import org.jspecify.annotations.NullMarked;
