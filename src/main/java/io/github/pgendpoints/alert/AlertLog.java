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

  /** Logs one alert. */
  @Handler
  public void log(@Body Alert alert) {
    LOG.atLevel(Level.valueOf(alert.severity().name())).log(alert.message());
  }

  /**
   * Logs what a process found in its first cycle and no alert reports: each one says what it found.
   *
   * @param unreported null if there is none
   */
  public static void logUnreported(Unreported unreported) {
    if (unreported != null) {
      LOG.atLevel(Level.valueOf(unreported.severity().name()))
          .log(ForeignText.clean(unreported.message(), Conditions.MAX_MESSAGE));
    }
  }
}
