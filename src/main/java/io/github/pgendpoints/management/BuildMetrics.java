package io.github.pgendpoints.management;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;

/**
 * The build that runs, as labels; docs/metrics.md lists it.
 *
 * @param version of the program
 * @param revision the commit of its sources
 */
public record BuildMetrics(String version, String revision) implements MeterBinder {
  @Override
  public void bindTo(MeterRegistry registry) {
    Gauge.builder("pgendpoints.build.info", () -> 1)
        .description("1, with the version and the revision of the program")
        .tag("version", version)
        .tag("revision", revision)
        .register(registry);
  }
}
