/** The kernel TCP transport. */
@NullMarked
package org.sluice.tcp;

import org.jspecify.annotations.NullMarked;
