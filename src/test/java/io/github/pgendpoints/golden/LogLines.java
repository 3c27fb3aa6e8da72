package io.github.pgendpoints.golden;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** Collects every line from INFO on that an operator would read, including those of libraries. */
final class LogLines implements AutoCloseable {
  /** The API stand-in logs in this process, too. */
  private static final List<String> STAND_INS =
      List.of("io.fabric8.mockwebserver", "io.fabric8.kubernetes.client.server.mock", "io.vertx");

  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Appender appender = new Appender();

  LogLines() {
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
  }

  /** Returns each line as {@code LEVEL message}, in the order in which they were logged. */
  List<String> all() {
    return List.copyOf(lines);
  }

  @Override
  public void close() {
    root.detachAppender(appender);
  }

  private final class Appender extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      if (event.getLevel().isGreaterOrEqual(Level.INFO)
          && STAND_INS.stream().noneMatch(event.getLoggerName()::startsWith)) {
        lines.add(event.getLevel() + " " + event.getFormattedMessage());
      }
    }
  }
}
