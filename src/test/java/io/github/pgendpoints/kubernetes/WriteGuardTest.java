package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** No route can bypass the guard: each attempt of each operation that writes calls it first. */
class WriteGuardTest {
  private static final RuntimeException REFUSAL = new NotLeaderException("not the leader");
  private static final Set<ObjectOperation> READS =
      Set.of(ObjectOperation.LIST, ObjectOperation.GET);

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicInteger asked = new AtomicInteger();

  /** The number of writes that the guard grants. */
  private int granted;

  @BeforeEach
  void start() {
    context.getRegistry().bind("client", api.client());
    context
        .getRegistry()
        .bind(
            "guard",
            (WriteGuard)
                exchange -> {
                  if (asked.incrementAndGet() > granted) {
                    throw REFUSAL;
                  }
                });
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
    api.close();
  }

  static Stream<Arguments> operations() {
    return Stream.of(ObjectOperation.values())
        .flatMap(
            operation ->
                Stream.of(ObjectKind.ENDPOINTS, ObjectKind.ENDPOINT_SLICES)
                    .map(kind -> Arguments.of(operation, kind)));
  }

  private Exchange send(ObjectOperation operation, ObjectKind<?> kind) {
    boolean slices = kind == ObjectKind.ENDPOINT_SLICES;
    return send(
        "kubernetes-endpoint%s:local?namespace=db&operation=%s"
            .formatted(slices ? "-slices" : "s", operation.of(kind)),
        switch (operation) {
          case LIST -> null;
          case GET -> "pg";
          default -> slices ? slice() : endpoints();
        });
  }

  private static Object slice() {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName("pg")
        .endMetadata()
        .withAddressType("IPv4")
        .build();
  }

  private static Object endpoints() {
    return new EndpointsBuilder().withNewMetadata().withName("pg").endMetadata().build();
  }

  private Exchange send(String uri, Object body) {
    return context
        .createProducerTemplate()
        .request(uri, exchange -> exchange.getMessage().setBody(body));
  }

  @ParameterizedTest(name = "{0} of {1}")
  @MethodSource("operations")
  void aWriteThatTheGuardRefusesIsNotSent(ObjectOperation operation, ObjectKind<?> kind) {
    Exchange exchange = send(operation, kind);

    if (READS.contains(operation)) {
      assertNull(exchange.getException());
      assertEquals(0, asked.get());
    } else {
      assertSame(REFUSAL, exchange.getException());
      assertEquals(List.of(), api.calls());
    }
  }

  /** An object that does not exist has to be created, which is a separate request. */
  @Test
  void eachRequestOfOneOperationIsGuarded() {
    granted = 1;

    assertSame(REFUSAL, send(ObjectOperation.PATCH_OR_CREATE, ObjectKind.ENDPOINTS).getException());

    assertEquals(List.of("PATCH /api/v1/namespaces/db/endpoints/pg"), api.calls());
  }

  @Test
  void eachRedeliveryIsGuarded() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            onException(KubernetesClientException.class)
                .maximumRedeliveries(5)
                .redeliveryDelay(0)
                .logExhausted(false);
            from("direct:create")
                .to("kubernetes-endpoints:local?namespace=db&operation=createEndpoints");
          }
        });
    api.fail(100, 503);
    granted = 2;

    assertSame(REFUSAL, send("direct:create", endpoints()).getException());

    assertEquals(6, asked.get());
    assertEquals(2, api.calls().size());
  }
}
