/** The CUDA memory backend: driver API only, found at run time. */
module org.sluice.cuda {
    requires org.slf4j;
    requires org.sluice.core;
    requires org.sluice.linux;
    requires static transitive org.jspecify;

    provides org.sluice.spi.GpuBackend with
            org.sluice.cuda.CudaBackend;
}
