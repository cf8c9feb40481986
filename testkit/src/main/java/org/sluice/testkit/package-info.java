/** For tests only: fakes in C, and network namespaces with NICs. */
@NullMarked
package org.sluice.testkit;

import org.jspecify.annotations.NullMarked;
