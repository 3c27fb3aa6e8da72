package io.github.pgendpoints.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.stream.Collectors;

/** Turns an event into its line. */
final class LineEncoder extends EncoderBase<ILoggingEvent> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX");

  private final Logging.Format format;
  private final boolean withStackTrace;

  /**
   * @param withStackTrace whether what was thrown is told with its stack: in text that is many
   *     lines
   */
  LineEncoder(Logging.Format format, boolean withStackTrace) {
    this.format = format;
    this.withStackTrace = withStackTrace;
  }

  @Override
  public byte[] headerBytes() {
    return null;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    IThrowableProxy thrown = event.getThrowableProxy();
    String trace = withStackTrace && thrown != null ? ThrowableProxyUtil.asString(thrown) : "";
    String line = format == Logging.Format.JSON ? json(event, trace) : text(event, trace);
    return line.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public byte[] footerBytes() {
    return null;
  }

  private static String text(ILoggingEvent event, String trace) {
    return "%s %s %s\n%s"
        .formatted(
            time(event, ZoneId.systemDefault()),
            event.getLevel(),
            Text.oneLine(message(event)),
            trace
                .lines()
                .map(line -> "  " + Text.oneLine(line) + "\n")
                .collect(Collectors.joining()));
  }

  private static String json(ILoggingEvent event, String trace) {
    return "{\"time\":%s,\"level\":%s,\"logger\":%s,\"message\":%s%s}\n"
        .formatted(
            Text.json(time(event, ZoneOffset.UTC)),
            Text.json(event.getLevel().toString()),
            Text.json(event.getLoggerName()),
            Text.json(message(event)),
            trace.isEmpty() ? "" : ",\"stackTrace\":" + Text.json(trace));
  }

  private static String message(ILoggingEvent event) {
    return String.valueOf(event.getFormattedMessage());
  }

  private static String time(ILoggingEvent event, ZoneId zone) {
    return TIME.format(Instant.ofEpochMilli(event.getTimeStamp()).atZone(zone));
  }
}
