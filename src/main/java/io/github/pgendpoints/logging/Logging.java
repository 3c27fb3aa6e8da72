package io.github.pgendpoints.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** The log: one line for each event of the program and its libraries, to standard error. */
public final class Logging {
  /** The format of an event. */
  public enum Format {
    /** Time, level, and message. */
    TEXT,
    /** One JSON object of logback: timestamp, level, loggerName, and formattedMessage. */
    JSON
  }

  private static final List<Level> LEVELS =
      List.of(Level.TRACE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR);

  /** Python's names, which users of the original have in their settings. */
  private static final Map<String, Level> PYTHON_LEVELS =
      new TreeMap<>(
          Map.of(
              "NOTSET", Level.TRACE,
              "WARNING", Level.WARN,
              "CRITICAL", Level.ERROR,
              "FATAL", Level.ERROR));

  /** The loggers of the program; a route without a logger name logs by its id. */
  private static final String PROGRAM = "io.github.pgendpoints";

  /** At INFO, these log each start and stop of their components. */
  private static final List<String> LIBRARIES =
      List.of("org.apache.camel", "io.fabric8", "okhttp3", "org.springframework");

  /**
   * These log the state of a node in each cycle. The program reports changes of state itself.
   * Camel's BackgroundTask logs that it stops trying to start a consumer when the consumer has
   * started. Its other classes log what they wait for at SIGTERM, and an error with the exchange.
   */
  private static final List<String> DRIVERS =
      List.of(
          "org.postgresql",
          "com.zaxxer.hikari",
          "io.fabric8.kubernetes.client.informers",
          "io.fabric8.kubernetes.client.dsl.internal.AbstractWatchManager",
          "org.apache.camel.support.task.BackgroundTask",
          "org.apache.camel.impl.engine.DefaultShutdownStrategy",
          "org.apache.camel.impl.engine.DefaultAsyncProcessorAwaitManager",
          "org.apache.camel.impl.engine.DefaultInflightRepository",
          "org.apache.camel.processor.FatalFallbackErrorHandler");

  private Logging() {}

  /** Returns the names that {@link #level} accepts: logback's, then Python's. */
  public static List<String> levelNames() {
    return Stream.concat(LEVELS.stream().map(Level::toString), PYTHON_LEVELS.keySet().stream())
        .toList();
  }

  /**
   * Returns the level with that name, in upper or lower case.
   *
   * @throws IllegalArgumentException without a message if there is none
   */
  public static Level level(String name) {
    return LEVELS.stream()
        .filter(level -> level.toString().equalsIgnoreCase(name))
        .findFirst()
        .or(() -> Optional.ofNullable(PYTHON_LEVELS.get(name.toUpperCase(Locale.ROOT))))
        .orElseThrow(IllegalArgumentException::new);
  }

  /**
   * Configures the log to standard error, with this format and this lowest level. Libraries never
   * log below INFO, where they log headers and packets, which contain tokens and passwords. Stack
   * traces are logged only if the lowest level is DEBUG or TRACE.
   */
  public static void configure(Level level, Format format) {
    boolean verbose = Level.DEBUG.isGreaterOrEqual(level);
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    Encoder<ILoggingEvent> encoder =
        format == Format.JSON ? new JsonLines(verbose) : new TextLines(verbose);
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

  /** Silences a logger until the next {@link #configure}. */
  public static void silence(String logger) {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(logger).setLevel(Level.OFF);
  }

  private static Level atLeast(Level least, Level level) {
    return level.isGreaterOrEqual(least) ? level : least;
  }
}
