/** The commands that run the main job: server, client, loopback, validate. */
@NullMarked
package org.sluice.cli.job;

import org.jspecify.annotations.NullMarked;
