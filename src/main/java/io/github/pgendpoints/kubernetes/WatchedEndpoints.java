package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.kubernetes.election.Leadership;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Endpoints of the Services, known as long as a watch tells of no change. It learns what they
 * are from the routes that ask for them and write them, and from outside, so that these need not
 * speak of it.
 */
public final class WatchedEndpoints implements RoutePolicyFactory, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedEndpoints.class);
  private static final String READ = "get-endpoints";
  private static final Set<String> WRITES =
      Set.of("create-endpoints", "patch-endpoints", "delete-endpoints");

  private static final String RULE =
      "; add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames [%s], verbs [watch]";

  private record One(Watched<Endpoints> watched, Watch watch) {}

  private final Map<String, One> byName;
  private final Conditions conditions;

  /**
   * @param names of the Endpoints
   * @param leadership in each of which they are read at least once
   * @param conditions told when they cannot be watched
   * @param nanoTime as {@link System#nanoTime}
   * @param wake lets a cycle look at once, since somebody else has changed one of them
   */
  public WatchedEndpoints(
      KubernetesClient client,
      String namespace,
      Collection<String> names,
      Leadership leadership,
      Conditions conditions,
      LongSupplier nanoTime,
      Runnable wake) {
    this.conditions = conditions;
    this.byName = new LinkedHashMap<>();
    for (String name : names) {
      // A field selector is what a rule with resourceNames allows to watch.
      String path =
          "api/v1/namespaces/%s/endpoints?fieldSelector=metadata.name%%3D%s"
              .formatted(namespace, name);
      Watched<Endpoints> watched = new Watched<>(nanoTime, leadership::term, wake);
      byName.put(
          name, new One(watched, new Watch(client, path, watched, leadership::isHeld, nanoTime)));
    }
  }

  private WatchedEndpoints() {
    byName = Map.of();
    conditions = null;
  }

  /** For a run of one cycle, which reads all it needs. */
  public static WatchedEndpoints none() {
    return new WatchedEndpoints();
  }

  /** Whether the Endpoints need not be read: they are what {@link #endpoints} says. */
  public boolean areKnown(String name) {
    One one = byName.get(name);
    return one != null && one.watched().isKnown();
  }

  /** The Endpoints as last read or written; null when there are none. */
  public Endpoints endpoints(String name) {
    return byName.get(name).watched().objects().stream().findFirst().orElse(null);
  }

  @Override
  public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
    return !byName.isEmpty() && (routeId.equals(READ) || WRITES.contains(routeId))
        ? new Requests(routeId)
        : null;
  }

  private void read(String name, One one, List<Endpoints> found) {
    if (!one.watched().read(found)) {
      LOG.info("the watch of Endpoints {} has not told of a change: it is opened anew", name);
      one.watch().rearm();
    }
    // Not before: where the API cannot be reached, there is no use in it, and nothing to say.
    one.watch().arm();
    if (one.watch().isForbidden()) {
      conditions.degraded(
          "the Role does not grant watch on the Endpoints, so they are read in each cycle%s"
              .formatted(RULE.formatted(String.join(", ", byName.keySet()))));
    } else if (one.watch().isFailing()) {
      conditions.degraded(
          "the Endpoints %s cannot be watched, so they are read in each cycle".formatted(name));
    }
  }

  /** Ends the watches. */
  @Override
  public void close() {
    byName.values().forEach(one -> one.watch().stop());
  }

  /** Follows the requests of one route. */
  private final class Requests extends RoutePolicySupport {
    private final String routeId;

    Requests(String routeId) {
      this.routeId = routeId;
    }

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
      One one = byName.get(name(exchange));
      if (one != null) {
        one.watched().ask();
      }
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
      One one = byName.get(name(exchange));
      if (one == null) {
        return;
      }
      // A delete leaves none.
      List<Endpoints> found =
          exchange.getMessage().getBody() instanceof Endpoints endpoints
              ? List.of(endpoints)
              : List.of();
      if (exchange.getException() != null) {
        one.watched().unanswered();
        if (routeId.equals(READ)) {
          one.watch().readFailed();
        }
      } else if (routeId.equals(READ)) {
        read(name(exchange), one, found);
      } else {
        one.watched().wrote(found);
      }
    }

    private static String name(Exchange exchange) {
      return exchange
          .getMessage()
          .getHeader(KubernetesEndpointsConstants.KUBERNETES_ENDPOINTS_NAME, String.class);
    }
  }
}
