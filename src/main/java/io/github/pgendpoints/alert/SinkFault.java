package io.github.pgendpoints.alert;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.NamedNode;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;

/** Says in a few words what is wrong with a sink's file, and in which line. */
final class SinkFault {
  private static final Pattern LINE = Pattern.compile("(?:, line |\\.yaml:)(\\d+)");
  private static final Pattern STEP = Pattern.compile(">>> (.*) <<<", Pattern.DOTALL);

  private SinkFault() {}

  /**
   * @param routes of the file, as far as it could be read
   */
  static String describe(Throwable fault, Collection<RouteDefinition> routes) {
    List<String> messages = new ArrayList<>();
    for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
      messages.add(
          cause.getMessage() == null
              ? cause.getClass().getSimpleName()
              : (cause instanceof ClassNotFoundException ? "ClassNotFoundException: " : "")
                  + cause.getMessage());
    }
    String what = messages.get(messages.size() - 1);
    int line = line(messages, fault, routes);
    return (line > 0 ? "line " + line + ": " : "")
        + SinkFailure.withoutSecrets(
            what.replaceAll("(?s)\\s+in file:.*|: file:\\S+$", "")
                .replaceAll("=[^,{}\\[\\]]*(?=[,}])", "=***"));
  }

  private static int line(
      List<String> messages, Throwable fault, Collection<RouteDefinition> routes) {
    Matcher named = LINE.matcher(String.join("\n", messages));
    if (named.find()) {
      return Integer.parseInt(named.group(1));
    }
    if (!(fault instanceof FailedToCreateRouteException failed)) {
      return 0;
    }
    RouteDefinition route =
        routes.stream()
            .filter(candidate -> candidate.getId().equals(failed.getRouteId()))
            .findFirst()
            .orElse(null);
    if (route == null) {
      return 0;
    }
    Matcher step = STEP.matcher(failed.getMessage());
    if (step.find()) {
      return ProcessorDefinitionHelper.filterTypeInOutputs(
              route.getOutputs(), ProcessorDefinition.class)
          .stream()
          .filter(candidate -> step.group(1).equalsIgnoreCase(candidate.toString()))
          .map(NamedNode::getLineNumber)
          .findFirst()
          .orElse(route.getLineNumber());
    }
    return route.getInput().getLineNumber();
  }
}
