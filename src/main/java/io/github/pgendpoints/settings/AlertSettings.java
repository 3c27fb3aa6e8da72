package io.github.pgendpoints.settings;

import io.github.pgendpoints.alert.SinkSettings;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * When alerts are sent, and where to.
 *
 * @param repeat after how long a condition that lasts is alerted again
 * @param sinks names of the shipped sinks that are switched on
 * @param sinkSettings what the sinks themselves read
 */
public record AlertSettings(Duration repeat, Set<String> sinks, SinkSettings sinkSettings) {
  /** The shipped sinks that ALERT_SINKS switches on: each is the file of its name. */
  public static final Set<String> SHIPPED =
      Set.of("alertmanager", "events", "mail", "slack", "webhook");

  /** The shipped sinks that are not switched on. */
  public Set<String> off() {
    Set<String> off = new HashSet<>(SHIPPED);
    off.removeAll(sinks);
    return off;
  }
}
