package io.github.pgendpoints.support;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;

/** Counts the cycles that have ended. Camel finds it when it is bound to a run. */
public final class CycleCount implements RoutePolicyFactory {
  private final AtomicInteger ended = new AtomicInteger();

  public int ended() {
    return ended.get();
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
    return routeId.equals("cycle") ? new Counting() : null;
  }

  private final class Counting extends RoutePolicySupport {
    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      // On most ticks, no cycle is due.
      if (exchange.getVariable("cycle") != null) {
        ended.incrementAndGet();
      }
    }
  }
}
