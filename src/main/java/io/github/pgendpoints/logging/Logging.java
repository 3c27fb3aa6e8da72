package io.github.pgendpoints.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** The log: one line an event, to standard error, from the libraries as from ourselves. */
public final class Logging {
  /** How an event looks. */
  public enum Format {
    /** Time, level and message. */
    TEXT,
    /** One JSON object: time, level, logger and message. */
    JSON
  }

  private static final Map<String, Level> LEVELS =
      Map.of(
          "TRACE", Level.TRACE,
          "DEBUG", Level.DEBUG,
          "INFO", Level.INFO,
          "WARN", Level.WARN,
          "ERROR", Level.ERROR,
          // Python's names, which users of the original have in their settings.
          "NOTSET", Level.TRACE,
          "WARNING", Level.WARN,
          "CRITICAL", Level.ERROR,
          "FATAL", Level.ERROR);

  /** Ours; a route that names no logger of its own logs by its id. */
  private static final String PROGRAM = "io.github.pgendpoints";

  /** At INFO these tell of their own starting and stopping. */
  private static final List<String> LIBRARIES =
      List.of("org.apache.camel", "io.fabric8", "okhttp3", "org.springframework");

  /**
   * What these say of a node in each cycle, or of a Lease at each look, is said once, by us; and
   * that Camel tries no more to start a consumer is no news when it has started.
   */
  private static final List<String> DRIVERS =
      List.of(
          "org.postgresql",
          "com.zaxxer.hikari",
          "io.fabric8.kubernetes.client.extended.leaderelection",
          "org.apache.camel.support.task.BackgroundTask");

  private Logging() {}

  /**
   * The level of that name, in any case.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Level level(String name) {
    Level level = LEVELS.get(name.toUpperCase(Locale.ROOT));
    if (level == null) {
      throw new IllegalArgumentException();
    }
    return level;
  }

  /**
   * Sends everything to standard error, in this format, from this level on. Whatever is not ours
   * tells no more than INFO: below that, libraries tell headers and packets, and with them tokens
   * and passwords.
   */
  public static void configure(Level level, Format format) {
    boolean verbose = Level.DEBUG.isGreaterOrEqual(level);
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    LineEncoder encoder = new LineEncoder(format, verbose);
    encoder.setContext(context);
    encoder.start();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(appender);
    root.setLevel(atLeast(Level.INFO, level));
    context.getLogger(PROGRAM).setLevel(level);
    LIBRARIES.forEach(
        name ->
            context.getLogger(name).setLevel(atLeast(verbose ? Level.INFO : Level.WARN, level)));
    DRIVERS.forEach(name -> context.getLogger(name).setLevel(verbose ? Level.INFO : Level.OFF));
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  /** Takes a logger's say, until the next {@link #configure}. */
  public static void silence(String logger) {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(logger).setLevel(Level.OFF);
  }

  /** Takes everybody's say, until the next {@link #configure}. */
  public static void silenceAll() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.getLoggerList().forEach(logger -> logger.setLevel(Level.OFF));
  }

  private static Level atLeast(Level least, Level level) {
    return level.isGreaterOrEqual(least) ? level : least;
  }
}
