package io.github.pgendpoints.settings;

import io.github.pgendpoints.alert.SinkSettings;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * When and where alerts are sent.
 *
 * @param repeat time after which an alert is sent again while its condition lasts
 * @param sinks names of the enabled shipped sinks
 */
public record AlertSettings(Duration repeat, Set<String> sinks, SinkSettings sinkSettings) {
  /** The shipped sinks that ALERT_SINKS can enable: each name is that of its file. */
  public static final Set<String> SHIPPED =
      Set.of("alertmanager", "events", "mail", "slack", "webhook");

  /** The shipped sinks that are not enabled. */
  public Set<String> off() {
    Set<String> off = new HashSet<>(SHIPPED);
    off.removeAll(sinks);
    return off;
  }
}
