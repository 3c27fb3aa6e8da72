package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.ForeignText;
import org.apache.camel.Body;
import org.apache.camel.Handler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Logs each alert, at the level of its severity. */
public final class AlertLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.github.pgendpoints.alert");

  @Handler
  public void log(@Body Alert alert) {
    LOG.atLevel(Level.valueOf(alert.severity().name())).log(alert.message());
  }

  /**
   * Logs what the first cycle of a process found but no alert reports: every process logs this.
   *
   * @param repeated null if there is none
   */
  public static void logRepeated(RepeatedFinding repeated) {
    if (repeated != null) {
      LOG.atLevel(Level.valueOf(repeated.severity().name()))
          .log(ForeignText.clean(repeated.message(), Conditions.MAX_MESSAGE));
    }
  }
}
