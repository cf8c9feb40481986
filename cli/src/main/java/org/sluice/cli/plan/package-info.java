/** What a job is to use, and what that takes of the machine. */
@NullMarked
package org.sluice.cli.plan;

import org.jspecify.annotations.NullMarked;
