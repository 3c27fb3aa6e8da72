package io.github.pgendpoints.management;

import io.github.pgendpoints.alert.SinkCount;
import io.github.pgendpoints.alert.Sinks;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToDoubleFunction;

/** What becomes of alerts, sink by sink; docs/metrics.md lists it. */
public final class SinkMetrics implements MeterBinder {
  private final Sinks sinks;

  public SinkMetrics(Sinks sinks) {
    this.sinks = sinks;
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    sinks.watch(
        (sink, count) -> {
          counter(registry, "sent", "Alerts that the sink has taken", sink, count, SinkCount::sent);
          counter(
              registry,
              "failed",
              "Alerts that the sink failed to deliver",
              sink,
              count,
              SinkCount::failed);
          counter(
              registry,
              "dropped",
              "Alerts that did not fit into the queue of the sink",
              sink,
              count,
              SinkCount::dropped);
          counter(
              registry,
              "sink.faults",
              "Faults for which the file of the sink is left out",
              sink,
              count,
              SinkCount::faults);
        });
  }

  private static void counter(
      MeterRegistry registry,
      String name,
      String help,
      String sink,
      SinkCount count,
      ToDoubleFunction<SinkCount> value) {
    FunctionCounter.builder("pgendpoints.alerts." + name, count, value)
        .description(help)
        .tag("sink", sink)
        .register(registry);
  }
}
