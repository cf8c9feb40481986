/** The main job of one side: making links, moving bytes in step with the peer, comparing, the result. */
@NullMarked
package org.sluice.cli.run;

import org.jspecify.annotations.NullMarked;
