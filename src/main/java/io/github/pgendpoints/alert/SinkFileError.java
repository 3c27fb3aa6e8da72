package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.model.RouteDefinition;

/** Describes briefly what is wrong with a sink's file, and in which line. */
final class SinkFileError {
  private static final Pattern LINE = Pattern.compile("(?:, line |\\.yaml:)(\\d+)");

  private SinkFileError() {}

  /**
   * @param routes of the file, as far as it could be read
   */
  static String describe(Throwable fault, Collection<RouteDefinition> routes) {
    List<String> messages = Causes.of(fault).map(SinkFileError::message).toList();
    String what = messages.get(messages.size() - 1);
    int line = line(messages, fault, routes);
    return (line > 0 ? "line " + line + ": " : "")
        + DeliveryError.withoutSecrets(
            what.replaceAll("(?s)\\s+in file:.*|: file:\\S+$", "")
                .replaceAll("=[^,{}\\[\\]]*(?=[,}])", "=***"));
  }

  private static String message(Throwable cause) {
    if (cause.getMessage() == null) {
      return cause.getClass().getSimpleName();
    }
    return (cause instanceof ClassNotFoundException ? "ClassNotFoundException: " : "")
        + RouteError.message(cause);
  }

  private static int line(
      List<String> messages, Throwable fault, Collection<RouteDefinition> routes) {
    Matcher named = LINE.matcher(String.join("\n", messages));
    if (named.find()) {
      return Integer.parseInt(named.group(1));
    }
    return RouteError.line(fault, routes);
  }
}
