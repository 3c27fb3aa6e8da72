package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.logging.Causes;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.bean.MethodNotFoundException;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.HasExpressionType;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RemoveHeaderDefinition;
import org.apache.camel.model.RemoveHeadersDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.SetHeadersDefinition;
import org.apache.camel.model.SetPropertyDefinition;
import org.apache.camel.model.SetVariableDefinition;
import org.apache.camel.model.SetVariablesDefinition;
import org.apache.camel.model.WhenDefinition;
import org.apache.camel.model.language.ExpressionDefinition;
import org.apache.camel.model.language.SimpleExpression;
import org.apache.camel.support.DefaultExchange;

/**
 * Reads of a sample alert what the expressions of a sink read of each: Camel looks for a field only
 * when an alert comes. Steps that follow one that may make another body of it are not looked at.
 */
final class AlertReads {
  private static final Pattern READ = Pattern.compile("\\$\\{body[.?][^{}]*}");
  private static final Set<Class<?>> KEEP_THE_BODY =
      Set.of(
          DelayDefinition.class,
          FilterDefinition.class,
          LogDefinition.class,
          RemoveHeaderDefinition.class,
          RemoveHeadersDefinition.class,
          SetHeaderDefinition.class,
          SetHeadersDefinition.class,
          SetPropertyDefinition.class,
          SetVariableDefinition.class,
          SetVariablesDefinition.class);

  /** With something in each field. */
  private static final Alert SAMPLE =
      new Alert(
          Kind.NODE_DOWN,
          Severity.WARN,
          Phase.BEGAN,
          Kind.NODE_UNKNOWN,
          "pg1",
          "db/pg-rw/NodeDown/pg1",
          "pg1 is DOWN",
          new Alert.Cluster("db", "pg-rw", "pg-ro"),
          "primary:10.0.0.1;standbys:",
          "primary:10.0.0.1;standbys:",
          List.of(new Alert.Node("pg1", "10.0.0.1", "DOWN", "Connection refused")),
          Instant.EPOCH,
          Instant.EPOCH);

  private final CamelContext context;
  private final Exchange exchange;
  private boolean otherBody;

  private AlertReads(CamelContext context) {
    this.context = context;
    this.exchange = new DefaultExchange(context);
    exchange.getMessage().setBody(SAMPLE);
  }

  /**
   * Checks the route of a sink.
   *
   * @throws IllegalArgumentException naming the line, what is no field, and what is one
   */
  static void check(CamelContext context, RouteDefinition sink) {
    AlertReads reads = new AlertReads(context);
    sink.getOutputs().forEach(reads::check);
  }

  private void check(ProcessorDefinition<?> step) {
    if (otherBody) {
      return;
    }
    texts(step).filter(Objects::nonNull).forEach(text -> check(text, step.getLineNumber()));
    if (step instanceof ChoiceDefinition choice) {
      check(choice);
      return;
    }
    otherBody = !KEEP_THE_BODY.contains(step.getClass());
    step.getOutputs().forEach(this::check);
  }

  private void check(ChoiceDefinition choice) {
    boolean other = false;
    for (WhenDefinition when : choice.getWhenClauses()) {
      check(simple(when.getExpression()), when.getLineNumber());
      when.getOutputs().forEach(this::check);
      other |= otherBody;
      otherBody = false;
    }
    if (choice.getOtherwise() != null) {
      choice.getOtherwise().getOutputs().forEach(this::check);
    }
    otherBody |= other;
  }

  private static Stream<String> texts(ProcessorDefinition<?> step) {
    if (step instanceof LogDefinition log) {
      return Stream.of(log.getMessage());
    }
    if (step instanceof SetHeadersDefinition headers) {
      return headers.getHeaders().stream().map(header -> simple(header.getExpression()));
    }
    return step instanceof HasExpressionType node
        ? Stream.of(simple(node.getExpressionType()))
        : Stream.empty();
  }

  private static String simple(ExpressionDefinition expression) {
    return expression instanceof SimpleExpression ? expression.getExpression() : "";
  }

  private void check(String text, int line) {
    READ.matcher(text)
        .results()
        .map(MatchResult::group)
        .filter(read -> !isField(read))
        .findFirst()
        .ifPresent(
            read -> {
              throw new IllegalArgumentException(
                  "line %d: an alert has no %s; allowed: %s, nodes"
                      .formatted(line, read, AlertFields.allowed()));
            });
  }

  /** Whatever else is wrong with it, Camel tells of when it creates the route. */
  private boolean isField(String read) {
    try {
      context.resolveLanguage("simple").createExpression(read).evaluate(exchange, Object.class);
      return true;
    } catch (RuntimeException e) {
      return Causes.of(e).noneMatch(MethodNotFoundException.class::isInstance);
    }
  }
}
