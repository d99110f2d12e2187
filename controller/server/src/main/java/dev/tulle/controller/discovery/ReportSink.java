package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.WorkloadId;

/** Takes what the proxies saw. */
@FunctionalInterface
public interface ReportSink {
    /** Called on an event loop: must not block. */
    void reported(WorkloadId workload, Report report);
}
