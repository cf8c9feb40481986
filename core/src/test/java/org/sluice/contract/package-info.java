/** What every transport must show: abstract tests that a transport's own tests extend in a few lines. */
@NullMarked
package org.sluice.contract;

import org.jspecify.annotations.NullMarked;
