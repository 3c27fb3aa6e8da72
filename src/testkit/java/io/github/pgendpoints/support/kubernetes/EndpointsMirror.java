package io.github.pgendpoints.support.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointPort;
import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Mirrors Endpoints to EndpointSlices as kube-controller-manager does: after a delay, for Services
 * without a selector, unless a label or an annotation of the Endpoints forbids it. With a lag of
 * zero, the slices exist before the server responds to the change.
 */
final class EndpointsMirror implements AutoCloseable {
  static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
  static final String SERVICE_NAME = "kubernetes.io/service-name";

  private static final String MANAGER = "endpointslicemirroring-controller.k8s.io";
  private static final String SKIP = "endpointslice.kubernetes.io/skip-mirror";
  private static final String LEADER = "control-plane.alpha.kubernetes.io/leader";

  /** The maximum number of addresses of a subset that are mirrored. */
  private static final int MAX_ADDRESSES = 1000;

  private final ApiDispatcher api;
  private final Duration lag;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread daemon = new Thread(work, "mirror");
            daemon.setDaemon(true);
            return daemon;
          });

  EndpointsMirror(ApiDispatcher api, Duration lag) {
    this.api = api;
    this.lag = lag;
  }

  void changed(String namespace, String name) {
    if (lag.isZero()) {
      reconcile(namespace, name);
      return;
    }
    thread.schedule(() -> reconcile(namespace, name), lag.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Waits until every change so far is mirrored. */
  void await() {
    try {
      thread.schedule(() -> {}, lag.toMillis() + 1, TimeUnit.MILLISECONDS).get();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void reconcile(String namespace, String name) {
    synchronized (api) {
      String collection = "/apis/discovery.k8s.io/v1/namespaces/" + namespace + "/endpointslices";
      Endpoints endpoints =
          object("/api/v1/namespaces/" + namespace + "/endpoints/" + name, Endpoints.class);
      Service service =
          object("/api/v1/namespaces/" + namespace + "/services/" + name, Service.class);
      Map<String, EndpointSlice> wanted = new TreeMap<>();
      if (endpoints != null && service != null && service.getSpec().getSelector().isEmpty()) {
        wanted.putAll(slices(endpoints));
      }
      for (JsonNode found : api.list(collection)) {
        JsonNode labels = found.path("metadata").path("labels");
        String its = found.path("metadata").path("name").asText();
        if (labels.path(MANAGED_BY).asText().equals(MANAGER)
            && labels.path(SERVICE_NAME).asText().equals(name)
            && !wanted.containsKey(its)) {
          api.remove(collection + "/" + its);
        }
      }
      wanted.values().forEach(slice -> store(collection, slice));
    }
  }

  /** Stores a slice only if it differs from the stored one. */
  private void store(String collection, EndpointSlice slice) {
    EndpointSlice found =
        object(collection + "/" + slice.getMetadata().getName(), EndpointSlice.class);
    if (found == null || !isSame(found, slice)) {
      api.store(collection, slice);
    }
  }

  private static boolean isSame(EndpointSlice found, EndpointSlice wanted) {
    return Objects.equals(found.getEndpoints(), wanted.getEndpoints())
        && Objects.equals(found.getPorts(), wanted.getPorts())
        && found.getMetadata().getLabels().equals(wanted.getMetadata().getLabels())
        && Objects.equals(
            found.getMetadata().getAnnotations(), wanted.getMetadata().getAnnotations());
  }

  private <T> T object(String path, Class<T> type) {
    JsonNode found = api.find(path);
    return found == null ? null : Serialization.unmarshal(found.toString(), type);
  }

  /** Returns one slice per subset and address family. */
  private static Map<String, EndpointSlice> slices(Endpoints endpoints) {
    Map<String, EndpointSlice> slices = new TreeMap<>();
    Map<String, String> labels = new HashMap<>();
    if (endpoints.getMetadata().getLabels() != null) {
      labels.putAll(endpoints.getMetadata().getLabels());
    }
    Map<String, String> annotations = endpoints.getMetadata().getAnnotations();
    if ("true".equals(labels.get(SKIP)) || annotations != null && annotations.containsKey(LEADER)) {
      return slices;
    }
    String service = endpoints.getMetadata().getName();
    labels.put(SERVICE_NAME, service);
    labels.put(MANAGED_BY, MANAGER);
    for (EndpointSubset subset : endpoints.getSubsets()) {
      for (String family : List.of("IPv4", "IPv6")) {
        List<Endpoint> members = new ArrayList<>();
        subset.getAddresses().stream()
            .limit(MAX_ADDRESSES)
            .forEach(address -> add(members, address, family, true));
        subset.getNotReadyAddresses().stream()
            .limit(Math.max(0, MAX_ADDRESSES - subset.getAddresses().size()))
            .forEach(address -> add(members, address, family, false));
        String name =
            "%s-%05x".formatted(service, (family + subset.getPorts()).hashCode() & 0xfffff);
        if (!members.isEmpty()) {
          slices.put(
              name,
              new EndpointSliceBuilder()
                  .withNewMetadata()
                  .withNamespace(endpoints.getMetadata().getNamespace())
                  .withName(name)
                  .withLabels(labels)
                  .withAnnotations(endpoints.getMetadata().getAnnotations())
                  .endMetadata()
                  .withAddressType(family)
                  .withEndpoints(members)
                  .withPorts(subset.getPorts().stream().map(EndpointsMirror::port).toList())
                  .build());
        }
      }
    }
    return slices;
  }

  private static io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort port(EndpointPort port) {
    return new EndpointPortBuilder()
        .withName(port.getName())
        .withPort(port.getPort())
        .withProtocol(port.getProtocol())
        .build();
  }

  private static void add(
      List<Endpoint> members, EndpointAddress address, String family, boolean ready) {
    if (address.getIp().contains(":") == family.equals("IPv6")) {
      members.add(
          new EndpointBuilder()
              .withAddresses(address.getIp())
              .withNewConditions()
              .withReady(ready)
              .endConditions()
              .build());
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
