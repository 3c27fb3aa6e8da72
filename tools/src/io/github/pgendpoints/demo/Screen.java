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
 * Prints the output of the demo, 80 columns wide. A line of the manager's log appears when it is
 * logged, with its own prefix, so that a reader does not take the demo's words for the program's.
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
   * @param colours whether {@code out} is a terminal that shows colours
   */
  Screen(PrintStream out, boolean colours) {
    this.out = out;
    this.colours = colours;
  }

  /** Redirects the log: log lines go to this screen and to no other appender. */
  void attachLog() {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    // It logs how it finds the binaries, which is not part of the manager's work.
    ((Logger) LoggerFactory.getLogger("io.zonky")).setLevel(Level.OFF);
    Appender appender = new Appender();
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
  }

  /** Prints the title of the demo. */
  synchronized void title(String text) {
    print(Style.BOLD, text);
    print(Style.BOLD, "=".repeat(text.length()));
  }

  /** Prints the heading of an act. */
  synchronized void heading(String text) {
    gap();
    print(Style.BOLD, text);
    print(Style.BOLD, "-".repeat(text.length()));
  }

  /** Prints what the demo does or has done. */
  synchronized void say(String text) {
    endLog();
    print(Style.PLAIN, "", "", text);
  }

  /** Prints a command that the user can try. */
  synchronized void command(String text) {
    endLog();
    print(Style.PLAIN, "  " + text);
  }

  /** Prints a statement that the demo has checked. */
  synchronized void confirm(String text) {
    endLog();
    print(Style.GREEN, OK, " ".repeat(OK.length()), text);
  }

  /** Prints a detail of the statement that was just confirmed. */
  synchronized void explain(String text) {
    endLog();
    print(Style.FAINT, " ".repeat(OK.length()), " ".repeat(OK.length()), text);
  }

  /** Prints why the demo ends early. */
  synchronized void fail(Exception e) {
    gap();
    if (e instanceof UnexpectedOutcomeException) {
      print(Style.RED, "  UNEXPECTED: ", "    ", e.getMessage());
      return;
    }
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    trace.toString().lines().forEach(line -> print(Style.RED, line));
  }

  /** Prints rows in columns as wide as their content. The first row is the header. */
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

  /** Prints an empty line. */
  synchronized void gap() {
    inLog = false;
    print(Style.PLAIN, "");
  }

  /** Prints nothing from now on: the manager reports servers that shut down as failures. */
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

  /** Breaks text at blanks; a word that is too long for a line stays whole. */
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
