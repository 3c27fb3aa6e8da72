package io.github.pgendpoints.demo;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/**
 * What the demo prints, 80 columns wide. A line of the manager's log stands where it was logged,
 * behind a mark of its own, so that nobody takes the demo's words for the program's.
 */
final class Screen {
  private static final int WIDTH = 80;
  private static final String MANAGER = "  manager | ";
  private static final String MORE = "          | ";
  private static final String OK = "  ok: ";

  private enum Style {
    PLAIN(""),
    BOLD("1"),
    FAINT("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  private final PrintStream out;
  private final boolean colours;
  private boolean inLog;
  private boolean silent;

  /**
   * @param colours whether {@code out} is a terminal that shows them
   */
  Screen(PrintStream out, boolean colours) {
    this.out = out;
    this.colours = colours;
  }

  /** Takes the log over: what went elsewhere comes here alone. */
  void attachLog() {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    // It tells how it finds the binaries, which is not the manager's doing.
    ((Logger) LoggerFactory.getLogger("io.zonky")).setLevel(Level.OFF);
    Appender appender = new Appender();
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
  }

  /** Says what all of it is. */
  synchronized void title(String text) {
    print(Style.BOLD, text);
    print(Style.BOLD, "=".repeat(text.length()));
  }

  /** Begins an act. */
  synchronized void heading(String text) {
    gap();
    print(Style.BOLD, text);
    print(Style.BOLD, "-".repeat(text.length()));
  }

  /** Tells what is being done, or has been. */
  synchronized void say(String text) {
    endLog();
    print(Style.PLAIN, "", "", text);
  }

  /** Shows a command to try. */
  synchronized void command(String text) {
    endLog();
    print(Style.PLAIN, "  " + text);
  }

  /** Tells what was found to be as it must be. */
  synchronized void confirm(String text) {
    endLog();
    print(Style.GREEN, OK, " ".repeat(OK.length()), text);
  }

  /** Adds to what was confirmed. */
  synchronized void explain(String text) {
    endLog();
    print(Style.FAINT, " ".repeat(OK.length()), " ".repeat(OK.length()), text);
  }

  /** Tells why the demo ends before its end. */
  synchronized void fail(Exception e) {
    gap();
    if (e instanceof NotAsToldException) {
      print(Style.RED, "  NOT AS TOLD: ", "    ", e.getMessage());
      return;
    }
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    trace.toString().lines().forEach(line -> print(Style.RED, line));
  }

  /** Shows rows, of which the first is the head, in columns as wide as they need. */
  synchronized void table(List<List<String>> rows) {
    gap();
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; i < rows.get(0).size(); i++) {
      int column = i;
      widths.add(rows.stream().mapToInt(row -> row.get(column).length()).max().orElseThrow());
    }
    Style style = Style.FAINT;
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        line.append("  ")
            .append(row.get(i))
            .append(" ".repeat(widths.get(i) - row.get(i).length()));
      }
      print(style, line.toString().stripTrailing());
      style = Style.PLAIN;
    }
  }

  /** Leaves a line free. */
  synchronized void gap() {
    inLog = false;
    print(Style.PLAIN, "");
  }

  /**
   * Prints nothing from now on: to the manager, servers that are being closed look like failures.
   */
  synchronized void silence() {
    silent = true;
  }

  private synchronized void log(ILoggingEvent event) {
    if (!inLog) {
      gap();
      inLog = true;
    }
    Style style =
        switch (event.getLevel().toInt()) {
          case Level.ERROR_INT -> Style.RED;
          case Level.WARN_INT -> Style.YELLOW;
          default -> Style.PLAIN;
        };
    String level = "%-5s ".formatted(event.getLevel());
    print(style, MANAGER + level, MORE + " ".repeat(level.length()), event.getFormattedMessage());
  }

  private void endLog() {
    if (inLog) {
      gap();
    }
  }

  private void print(Style style, String first, String others, String text) {
    String prefix = first;
    for (String line : wrap(text, WIDTH - Math.max(first.length(), others.length()))) {
      print(style, prefix + line);
      prefix = others;
    }
  }

  private void print(Style style, String line) {
    if (!silent) {
      out.println(
          colours && style != Style.PLAIN
              ? "\u001B[" + style.code + "m" + line + "\u001B[0m"
              : line);
    }
  }

  /** Breaks at blanks; a word that is too long for a line stays whole. */
  private static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    List<String> line = new ArrayList<>();
    int length = 0;
    for (String word : text.strip().split("\\s+")) {
      if (length + word.length() > width && !line.isEmpty()) {
        lines.add(String.join(" ", line));
        line.clear();
        length = 0;
      }
      line.add(word);
      length += word.length() + 1;
    }
    lines.add(String.join(" ", line));
    return lines;
  }

  private final class Appender extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      log(event);
    }
  }
}
