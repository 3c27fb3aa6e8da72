package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.ApiRight;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.kubernetes.ObjectClient;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;

/**
 * Checks that the Services exist and fit. Without the Service, nothing routes to its Endpoints, and
 * Kubernetes deletes them when its controllers start.
 */
public final class ServiceCheck {
  private final ObjectClient<Service> client;
  private final String namespace;
  private final String portName;
  private final Conditions conditions;
  private final ApiBudget budget;
  private final Executor executor;
  private final Set<String> checked = new HashSet<>();

  /** The results of reads that were sent before they are needed. */
  private final Map<String, Future<Found>> ahead = new HashMap<>();

  private final ApiRights rights;

  /**
   * @param namespace of the Services
   * @param portName the port name in our Endpoints, which must match that in the Service
   * @param rights whether the Role grants reading Services
   * @param conditions receives what does not fit
   * @param executor runs the reads that are sent ahead
   */
  public ServiceCheck(
      ObjectClient<Service> client,
      String namespace,
      String portName,
      ApiRights rights,
      Conditions conditions,
      ApiBudget budget,
      Executor executor) {
    this.client = client;
    this.namespace = namespace;
    this.rights = rights;
    this.portName = portName;
    this.conditions = conditions;
    this.budget = budget;
    this.executor = executor;
  }

  /** What keeps a Service from routing to its Endpoints. */
  enum Problem {
    MISSING("Service %1$s does not exist in namespace %2$s"),
    SELECTOR(
        "Service %1$s has a selector, so Kubernetes does not mirror its Endpoints; kubectl patch service %1$s -n %2$s --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/selector\"}]'");

    private final String description;

    Problem(String description) {
      this.description = description;
    }

    String describe(String service, String namespace) {
      return description.formatted(service, namespace);
    }

    private static Problem of(Service service) {
      if (service == null) {
        return MISSING;
      }
      ServiceSpec spec = service.getSpec();
      boolean selects = spec != null && spec.getSelector() != null && !spec.getSelector().isEmpty();
      return selects ? SELECTOR : null;
    }
  }

  /**
   * Reads Services while a cycle probes its nodes and a write is likely: the write then waits
   * neither for the response nor for a connection. Forgets what an earlier cycle read ahead.
   *
   * @param services their names; empty if no write is likely
   */
  public void readAhead(List<String> services) {
    ahead.clear();
    if (services.isEmpty() || !rights.isWorthAsking(ApiRight.GET_SERVICES)) {
      return;
    }
    for (String service : services) {
      try {
        ahead.put(
            service, CompletableFuture.supplyAsync(() -> new Found(client.get(service)), executor));
      } catch (RejectedExecutionException e) {
        // No thread is free: the Service is read when it is needed.
      }
    }
  }

  /**
   * Checks the Service of a plan, in the first cycle and before each write, if the Role grants it.
   *
   * @throws UnusableServiceException if the Service does not exist, or has a selector
   */
  public void check(Plan plan) throws UnusableServiceException {
    if (plan.isUnchanged() && checked.contains(plan.service())) {
      return;
    }
    Optional<Found> found = find(plan.service());
    if (found.isEmpty()) {
      return;
    }
    Problem problem = Problem.of(found.get().service());
    if (problem == Problem.MISSING) {
      throw new UnusableServiceException(
          plan.service(),
          "Service %s does not exist in namespace %s".formatted(plan.service(), namespace),
          "its Endpoints are not written");
    }
    if (problem == Problem.SELECTOR) {
      throw new UnusableServiceException(
          plan.service(),
          "Service %s has a selector".formatted(plan.service()),
          "Kubernetes writes its Endpoints, and the program does not");
    }
    noteUsable(plan, found.get().service());
  }

  /**
   * Reads a Service, to find out why its clients do not see its Endpoints.
   *
   * @return null if there is no problem, or the Role does not grant reading the Service
   */
  Problem problem(String service) {
    return find(service).map(found -> Problem.of(found.service())).orElse(null);
  }

  /**
   * The result of a read.
   *
   * @param service null if it does not exist
   */
  private record Found(Service service) {}

  /** Returns empty if the Role does not grant reading the Service. */
  private Optional<Found> find(String service) {
    return rights.ask(
        ApiRight.GET_SERVICES, () -> answerAhead(service).orElseGet(() -> read(service)));
  }

  private Found read(String service) {
    return new Found(budget.within(() -> client.get(service)));
  }

  /** Returns empty if no read was sent ahead, or it failed, or found a problem that may be over. */
  private Optional<Found> answerAhead(String service) {
    Future<Found> answer = ahead.remove(service);
    if (answer == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(answer.get()).filter(found -> Problem.of(found.service()) == null);
    } catch (ExecutionException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KubernetesClientException("interrupted", e);
    }
  }

  /** Records a Service that exists and has no selector. Warns once if its port has another name. */
  private void noteUsable(Plan plan, Service service) {
    Set<String> names =
        Optional.ofNullable(service.getSpec()).map(ServiceSpec::getPorts).orElse(List.of()).stream()
            .map(ServicePort::getName)
            .map(name -> Objects.requireNonNullElse(name, ""))
            .collect(Collectors.toSet());
    checked.add(plan.service());
    if (!names.isEmpty() && !names.contains(portName)) {
      conditions.reportDegradation(
          "Service %s names its port %s, but PORT_NAME is '%s': nothing is routed until both are the same"
              .formatted(
                  plan.service(),
                  names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", ")),
                  portName));
    }
  }
}
