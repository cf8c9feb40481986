/** The implementation of the public API: it joins the rooms of core, and nothing else of core knows it. */
@NullMarked
package org.sluice.engine;

import org.jspecify.annotations.NullMarked;
