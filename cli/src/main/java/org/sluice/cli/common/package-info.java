/** What every command needs: values and the environment, exit status, output as JSON, the other side on this machine. */
@NullMarked
package org.sluice.cli.common;

import org.jspecify.annotations.NullMarked;
