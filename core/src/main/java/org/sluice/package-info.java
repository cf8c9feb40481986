/**
 * What a user of the library sees: open a {@link org.sluice.Node}, make {@link org.sluice.Link}s to other nodes, allocate
 * {@link org.sluice.Region}s, and move bytes between them with {@link org.sluice.Transfer}s.
 */
@NullMarked
package org.sluice;

import org.jspecify.annotations.NullMarked;
