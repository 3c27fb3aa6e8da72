package io.github.pgendpoints.alert;

import io.github.pgendpoints.logging.Causes;
import java.nio.file.AccessDeniedException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.NamedNode;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.EndpointRequiredDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.language.MethodCallExpression;
import org.apache.camel.support.PatternHelper;

/** Finds the file and the line of a route that cannot be created. */
public final class RouteError {
  private static final Pattern STEP = Pattern.compile(">>> (.*) <<<", Pattern.DOTALL);

  /** Shorter words are in too many messages. */
  private static final int SHORTEST = 3;

  private RouteError() {}

  private record Place(RouteDefinition route, int line) {
    String inWords() {
      return route.getResource() == null ? "" : "%s, line %d: ".formatted(file(route), line);
    }
  }

  /**
   * Describes the root cause of a fault, preceded by its place if it belongs to a route.
   *
   * @param fault the error that Camel threw while it started
   * @param context the context whose routes were being created; null if there is none
   * @return such as {@code 30-verify.camel.yaml, line 12: Method with name: ...}
   */
  public static String describe(Throwable fault, CamelContext context) {
    List<RouteDefinition> routes =
        context instanceof ModelCamelContext model ? model.getRouteDefinitions() : List.of();
    return place(fault, routes).map(Place::inWords).orElse("") + root(fault);
  }

  /**
   * Checks that the configurations that routes name exist, and the routes that they send to. If a
   * configuration is missing, Camel runs the route without its retries, and reports nothing.
   *
   * @throws IllegalArgumentException naming the file, the line, and what is allowed
   */
  public static void check(CamelContext context) {
    ModelCamelContext model = (ModelCamelContext) context;
    List<RouteDefinition> routes = model.getRouteDefinitions();
    for (RouteDefinition route : routes) {
      refuse(route, route.getLineNumber(), configurationFault(model, route));
    }
    Set<String> names = RouteTargets.names(model, routes);
    RouteTargets.missing(model, routes, names)
        .forEach(target -> refuse(target.route(), target.line(), target.fault(names)));
  }

  private static String file(RouteDefinition route) {
    return route.getResource().getLocation().replaceFirst("^.*[/:]", "");
  }

  /** Throws a fault of a route with its place, unless it is null. */
  static void refuse(RouteDefinition route, int line, String fault) {
    if (fault != null) {
      throw new IllegalArgumentException(new Place(route, line).inWords() + fault);
    }
  }

  /** Names the other route with the id of this one; null if there is none. */
  static String duplicateFault(RouteDefinition route, Collection<RouteDefinition> routes) {
    return routes.stream()
        .filter(other -> other != route && other.getId() != null)
        .filter(other -> other.getId().equals(route.getId()))
        .findFirst()
        .map(
            other ->
                "there is another route with the id %s%s, choose a unique id"
                    .formatted(
                        route.getId(), other.getResource() == null ? "" : " in " + file(other)))
        .orElse(null);
  }

  /** Describes a configuration that a route names but may not have; null if there is none. */
  static String configurationFault(ModelCamelContext model, RouteDefinition route) {
    String named = Objects.requireNonNullElse(route.getRouteConfigurationId(), "*");
    if (named.equals("one-cycle") && !route.getInput().getEndpointUri().contains("#ticks")) {
      return "route %s has the routeConfigurationId one-cycle, which is for the route with the timer #ticks"
          .formatted(route.getId());
    }
    List<String> ids =
        model.getRouteConfigurationDefinitions().stream().map(NamedNode::getId).sorted().toList();
    return Stream.of(model.resolvePropertyPlaceholders(named).split(","))
        .filter(name -> ids.stream().noneMatch(id -> PatternHelper.matchPattern(id, name)))
        .findFirst()
        .map(
            name ->
                "route %s has the routeConfigurationId %s, %s"
                    .formatted(
                        route.getId(),
                        name,
                        ids.isEmpty()
                            ? "but no file has a routeConfiguration: is 00-errors.camel.yaml missing?"
                            : "allowed: " + String.join(", ", ids)))
        .orElse(null);
  }

  /** Returns the line of a fault; 0 if it belongs to none of these routes. */
  static int line(Throwable fault, Collection<RouteDefinition> routes) {
    return place(fault, routes).map(Place::line).orElse(0);
  }

  private static Optional<Place> place(Throwable fault, Collection<RouteDefinition> routes) {
    return Causes.of(fault)
        .filter(FailedToCreateRouteException.class::isInstance)
        .map(FailedToCreateRouteException.class::cast)
        .findFirst()
        .flatMap(
            failed ->
                routes.stream()
                    .filter(route -> route.getId().equals(failed.getRouteId()))
                    .findFirst()
                    .map(route -> new Place(route, line(failed, route))));
  }

  private static int line(FailedToCreateRouteException failed, RouteDefinition route) {
    Matcher named = STEP.matcher(failed.getMessage());
    if (!named.find()) {
      return route.getInput().getLineNumber();
    }
    ProcessorDefinition<?> step =
        all(route.getOutputs()).stream()
            .filter(candidate -> named.group(1).equalsIgnoreCase(candidate.toString()))
            .findFirst()
            .orElse(null);
    if (step == null) {
      return route.getLineNumber();
    }
    // Camel names the outermost step, but the fault may be in a step within it.
    String what = withoutSlashes(root(failed));
    List<ProcessorDefinition<?>> within = new ArrayList<>(all(step.getOutputs()));
    within.add(step);
    return within.stream()
        .filter(candidate -> words(candidate, what) > 0)
        .max(Comparator.comparingInt(candidate -> words(candidate, what)))
        .map(NamedNode::getLineNumber)
        .orElse(step.getLineNumber());
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // Camel's own method gives raw types.
  static List<ProcessorDefinition<?>> all(List<ProcessorDefinition<?>> outputs) {
    return (List)
        List.copyOf(
            ProcessorDefinitionHelper.filterTypeInOutputs(outputs, ProcessorDefinition.class));
  }

  /** Counts the characters of the names in a step that also occur in the message. */
  private static int words(ProcessorDefinition<?> step, String message) {
    return names(step)
        .filter(Objects::nonNull)
        .map(RouteError::withoutSlashes)
        .filter(name -> name.length() >= SHORTEST && message.contains(name))
        .mapToInt(String::length)
        .sum();
  }

  private static Stream<String> names(ProcessorDefinition<?> step) {
    if (step instanceof EndpointRequiredDefinition to) {
      return Stream.of(to.getEndpointUri());
    }
    if (step instanceof BeanDefinition bean) {
      return Stream.of(bean.getRef(), bean.getMethod(), bean.getBeanType());
    }
    if (step instanceof ExpressionNode node) {
      return node.getExpression() instanceof MethodCallExpression call
          ? Stream.of(call.getRef(), call.getMethod(), call.getBeanTypeName())
          : Stream.of(node.getExpression() == null ? null : node.getExpression().getExpression());
    }
    return Stream.empty();
  }

  /** Camel writes htttp://x for the htttp:x of a file. */
  private static String withoutSlashes(String text) {
    return text.replace("://", ":");
  }

  private static String root(Throwable fault) {
    return String.valueOf(message(Causes.root(fault)));
  }

  /** Returns the message of an error. Java's own for an unreadable file is only the file name. */
  static String message(Throwable fault) {
    return fault instanceof AccessDeniedException
        ? fault.getMessage() + " cannot be read: permission denied"
        : fault.getMessage();
  }
}
