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
 * The names by which routes call each other, direct:NAME and seda:NAME. Camel looks for the route
 * with that name only when an exchange is sent to it.
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
      return "route %s sends to %s, but no route starts from it; allowed: %s"
          .formatted(route.getId(), name, String.join(", ", names));
    }
  }

  /** Returns the names that these routes are from, to which other routes can send. */
  static Set<String> names(CamelContext context, Collection<RouteDefinition> routes) {
    return routes.stream()
        .map(route -> name(context, route.getInput().getEndpointUri()))
        .filter(Objects::nonNull)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the steps that send to a name of none of these routes that is not in {@code names}. */
  static List<Target> missing(
      CamelContext context, Collection<RouteDefinition> routes, Set<String> names) {
    Set<String> own = names(context, routes);
    return routes.stream()
        .flatMap(
            route ->
                RouteError.all(route.getOutputs()).stream()
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

  /** Returns null for other URIs, and for a URI that is computed for each exchange. */
  private static String name(CamelContext context, String uri) {
    try {
      Matcher matcher = NAME.matcher(context.resolvePropertyPlaceholders(uri == null ? "" : uri));
      return matcher.matches() ? matcher.group(1) + ":" + matcher.group(2) : null;
    } catch (RuntimeException e) {
      // An unknown placeholder, which Camel reports.
      return null;
    }
  }
}
