package io.github.pgendpoints.management;

import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Alerts while a route of the cycles is stopped, for example from Hawtio: a stopped route cannot
 * report that itself.
 */
public final class RouteMonitor implements StartupListener {
  private static final Logger LOG = LoggerFactory.getLogger(RouteMonitor.class);

  private final CycleHealth health;
  private final Alert.Cluster cluster;
  private final Duration repeat;
  private final Clock clock;
  private final Consumer<Alert> sinks;
  private Instant since;
  private Instant reportedAt;

  /**
   * @param repeat ALERT_REPEAT
   * @param sinks receive the alerts, in addition to the log
   */
  public RouteMonitor(
      CycleHealth health,
      Alert.Cluster cluster,
      Duration repeat,
      Clock clock,
      Consumer<Alert> sinks) {
    this.health = health;
    this.cluster = cluster;
    this.repeat = repeat;
    this.clock = clock;
    this.sinks = sinks;
  }

  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // Too early: not all routes have started.
  }

  @Override
  public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
    ScheduledExecutorService timer =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "route monitor");
    timer.scheduleWithFixedDelay(
        () -> {
          if (!context.isStopping()) {
            check(health.isStandingBy() ? List.of() : health.stopped());
          }
        },
        1,
        1,
        TimeUnit.SECONDS);
  }

  /** Reports the routes that are stopped, if it is time. */
  void check(List<String> stopped) {
    boolean running = stopped.isEmpty();
    Instant now = clock.instant();
    if (running && since != null) {
      String message = "over: routes stopped";
      LOG.info(message);
      report(Kind.RECOVERED, Severity.INFO, Phase.OVER, Kind.CYCLES_STOPPED, message, now);
      since = null;
    } else if (!running && (since == null || !now.isBefore(reportedAt.plus(repeat)))) {
      Phase phase = since == null ? Phase.BEGAN : Phase.LASTS;
      since = since == null ? now : since;
      reportedAt = now;
      String message =
          "routes stopped: %s; there is no failover until they are started, for example in Hawtio; since %s"
              .formatted(String.join(", ", stopped), since.truncatedTo(ChronoUnit.SECONDS));
      LOG.error(message);
      report(Kind.CYCLES_STOPPED, Severity.ERROR, phase, null, message, now);
    }
  }

  private void report(
      Kind kind, Severity severity, Phase phase, Kind ends, String message, Instant now) {
    sinks.accept(
        new Alert(
            kind,
            severity,
            phase,
            ends,
            "",
            cluster.key(Kind.CYCLES_STOPPED, ""),
            message,
            cluster,
            null,
            null,
            List.of(),
            since,
            now));
  }
}
