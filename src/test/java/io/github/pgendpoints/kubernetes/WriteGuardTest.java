package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No route can write past the guard: each operation that changes anything asks it first. */
class WriteGuardTest {
  private static final RuntimeException REFUSAL = new NotLeaderException("not the leader");

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicInteger asked = new AtomicInteger();
  private RuntimeException refusal = REFUSAL;

  @BeforeEach
  void start() {
    context.getRegistry().bind("client", api.client());
    context
        .getRegistry()
        .bind(
            "guard",
            (WriteGuard)
                exchange -> {
                  asked.incrementAndGet();
                  if (refusal != null) {
                    throw refusal;
                  }
                });
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
    api.close();
  }

  static Stream<String> operations() {
    return Stream.concat(
        KubernetesEndpointsOperations.ALL.stream(),
        KubernetesEndpointSlicesOperations.ALL.stream());
  }

  private Exchange send(String operation) {
    boolean slices = operation.contains("Slice");
    Map<String, Object> headers = new HashMap<>();
    headers.put("CamelKubernetesEndpointsName", "pg");
    headers.put("CamelKubernetesEndpointsSubsets", List.of());
    headers.put("CamelKubernetesEndpointsLabels", Map.of("a", "b"));
    headers.put("CamelKubernetesEndpointSlicesName", "pg");
    headers.put("CamelKubernetesEndpointSlicesAddressType", "IPv4");
    headers.put(
        "CamelKubernetesEndpointSlicesEndpoints",
        List.of(new EndpointBuilder().withAddresses("10.0.0.1").build()));
    headers.put(
        "CamelKubernetesEndpointSlicesPorts",
        List.of(new EndpointPortBuilder().withName("a").withPort(1).withProtocol("TCP").build()));
    headers.put("CamelKubernetesEndpointSlicesLabels", Map.of("a", "b"));
    return context
        .createProducerTemplate()
        .request(
            "kubernetes-endpoint%s:local?namespace=db&operation=%s"
                .formatted(slices ? "-slices" : "s", operation),
            exchange -> exchange.getMessage().setHeaders(headers));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void sendsNoWriteThatTheGuardRefuses(String operation) {
    boolean reads = operation.startsWith("get") || operation.startsWith("list");

    Exchange exchange = send(operation);

    if (reads) {
      assertNull(exchange.getException());
      assertEquals(0, asked.get());
    } else {
      assertSame(REFUSAL, exchange.getException());
      assertEquals(List.of(), api.calls());
    }
  }

  /** What is there no more has to be created: that is a request of its own. */
  @Test
  void asksBeforeEachRequestOfOneOperation() {
    refusal = null;

    assertNull(send("patchOrCreateEndpoints").getException());

    assertEquals(2, asked.get());
    assertEquals(2, api.calls().size());
  }
}
