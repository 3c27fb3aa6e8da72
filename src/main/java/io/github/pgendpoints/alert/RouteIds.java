package io.github.pgendpoints.alert;

import java.util.ArrayList;
import java.util.List;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;

/** Refuses a second route of an id while its file is known: Camel tells of the id alone. */
public final class RouteIds extends ModelLifecycleStrategySupport {
  private final List<RouteDefinition> routes = new ArrayList<>();

  private RouteIds() {}

  /** Loads routes. */
  public interface Load {
    void run() throws Exception;
  }

  /**
   * Watches the ids of what is loaded.
   *
   * @throws Exception of the load; or caused by an IllegalArgumentException naming both files
   */
  public static void watch(ModelCamelContext context, Load load) throws Exception {
    RouteIds ids = new RouteIds();
    context.addModelLifecycleStrategy(ids);
    load.run();
    context.removeModelLifecycleStrategy(ids);
  }

  @Override
  public void onAddRouteDefinition(RouteDefinition route) {
    RouteFault.refuse(route, route.getLineNumber(), RouteFault.duplicateFault(route, routes));
    routes.add(route);
  }
}
