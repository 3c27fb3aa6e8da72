package io.github.pgendpoints.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.EncoderBase;
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
    /** One JSON object. */
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

  private static final List<String> LIBRARIES =
      List.of("org.apache.camel", "io.fabric8", "okhttp3", "org.springframework");

  /** What these say of a node in each cycle is said once, by us, as that node's state. */
  private static final List<String> DRIVERS = List.of("org.postgresql", "com.zaxxer.hikari");

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
   * Sends everything to standard error, in this format, from this level on. Libraries tell less
   * than that: below INFO they would tell headers and packets, and with them tokens and passwords.
   */
  public static void configure(Level level, Format format) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(started(format == Format.JSON ? json() : text(level), context));
    appender.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(level);
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
    boolean verbose = Level.DEBUG.isGreaterOrEqual(level);
    Level warnings = level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN;
    LIBRARIES.forEach(name -> context.getLogger(name).setLevel(verbose ? Level.INFO : warnings));
    DRIVERS.forEach(name -> context.getLogger(name).setLevel(verbose ? Level.INFO : Level.OFF));
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  private static Encoder<ILoggingEvent> started(
      EncoderBase<ILoggingEvent> encoder, LoggerContext context) {
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }

  /** A stack trace would be many lines; who wants it asks for DEBUG. */
  private static EncoderBase<ILoggingEvent> text(Level level) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    String trace = Level.DEBUG.isGreaterOrEqual(level) ? "%ex" : "%nopex";
    encoder.setPattern(
        "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %level %replace(%msg){'[\\r\\n]+', ' '}%n" + trace);
    return encoder;
  }

  private static EncoderBase<ILoggingEvent> json() {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    encoder.setWithContext(false);
    encoder.setWithMessage(false);
    encoder.setWithArguments(false);
    encoder.setWithFormattedMessage(true);
    return encoder;
  }
}
