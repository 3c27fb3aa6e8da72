package io.github.pgendpoints.alert;

import java.util.ArrayList;
import java.util.List;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.util.function.ThrowingRunnable;

/** Refuses a second route with an id while its file is known: Camel reports only the id. */
public final class RouteIds extends ModelLifecycleStrategySupport {
  private final List<RouteDefinition> routes = new ArrayList<>();

  private RouteIds() {}

  /**
   * Runs the load, and checks the ids of the routes that it adds.
   *
   * @throws Exception of the load; or caused by an IllegalArgumentException that names both files
   */
  public static void checkWhile(ModelCamelContext context, ThrowingRunnable<Exception> load)
      throws Exception {
    RouteIds ids = new RouteIds();
    context.addModelLifecycleStrategy(ids);
    load.run();
    context.removeModelLifecycleStrategy(ids);
  }

  @Override
  public void onAddRouteDefinition(RouteDefinition route) {
    RouteError.refuse(route, route.getLineNumber(), RouteError.duplicateFault(route, routes));
    routes.add(route);
  }
}
