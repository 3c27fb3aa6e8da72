package io.github.pgendpoints.alert;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.model.EndpointRequiredDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDynamicDefinition;

/**
 * The names by which routes call each other, direct:NAME and seda:NAME: Camel looks for the route
 * of such a name only when something is sent there.
 */
final class RouteTargets {
  private static final Pattern NAME =
      Pattern.compile("(direct|seda):(?://)?([^?${]+)(?:\\?.*)?", Pattern.DOTALL);

  private RouteTargets() {}

  /**
   * A step that sends to a name.
   *
   * @param name such as direct:refuse
   */
  record Target(RouteDefinition route, int line, String name) {
    String fault(Set<String> names) {
      return "route %s sends to %s, which no route is from; allowed: %s"
          .formatted(route.getId(), name, String.join(", ", names));
    }
  }

  /** What these routes are from, as far as others can send there. */
  static Set<String> names(CamelContext context, Collection<RouteDefinition> routes) {
    return routes.stream()
        .map(route -> name(context, route.getInput().getEndpointUri()))
        .filter(Objects::nonNull)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Where these routes send to that is neither one of them nor of the names. */
  static List<Target> missing(
      CamelContext context, Collection<RouteDefinition> routes, Set<String> names) {
    Set<String> own = names(context, routes);
    return routes.stream()
        .flatMap(
            route ->
                RouteFault.all(route.getOutputs()).stream()
                    .map(step -> new Target(route, step.getLineNumber(), name(context, uri(step)))))
        .filter(target -> target.name() != null)
        .filter(target -> !own.contains(target.name()) && !names.contains(target.name()))
        .toList();
  }

  private static String uri(ProcessorDefinition<?> step) {
    if (step instanceof EndpointRequiredDefinition to) {
      return to.getEndpointUri();
    }
    return step instanceof ToDynamicDefinition to ? to.getUri() : null;
  }

  /** Null for all else, and for what is computed when something is sent. */
  private static String name(CamelContext context, String uri) {
    try {
      Matcher matcher = NAME.matcher(context.resolvePropertyPlaceholders(uri == null ? "" : uri));
      return matcher.matches() ? matcher.group(1) + ":" + matcher.group(2) : null;
    } catch (RuntimeException e) {
      // An unknown placeholder, which Camel tells of.
      return null;
    }
  }
}
