package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.ObjectClient;
import io.github.pgendpoints.kubernetes.ObjectKind;
import io.github.pgendpoints.kubernetes.RequestListener;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When the Service of a plan is read, and what prevents the write of its Endpoints. */
class ServiceCheckTest {
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final Conditions conditions = TestConditions.create();
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private long seconds;
  private final ApiBudget budget =
      new ApiBudget(Duration.ofSeconds(3), () -> seconds * 1_000_000_000);
  private final ServiceCheck check =
      new ServiceCheck(
          new ObjectClient<>(api.client(), ObjectKind.SERVICES, "db", RequestListener.NONE),
          "db",
          "postgresql",
          new ApiRights(
              List.of("pg-rw", "pg-ro"),
              null,
              conditions::reportDegradation,
              () -> seconds * 1_000_000_000),
          conditions,
          budget,
          waiting::add);
  private final Publisher publisher =
      new Publisher("pg-rw", "pg-ro", "postgresql", 5432, false, Clock.systemUTC());

  /** A plan without a change: there is nothing to clear. */
  private final Plan unchanged = publisher.cleared(new ObservedService(null, List.of()));

  @BeforeEach
  void begin() {
    budget.renew();
  }

  @AfterEach
  void stop() {
    api.close();
  }

  private void service(String portName, Map<String, String> selector) {
    Service service =
        new ServiceBuilder()
            .withNewMetadata()
            .withName("pg-rw")
            .endMetadata()
            .withNewSpec()
            .withSelector(selector)
            .addNewPort()
            .withName(portName)
            .withPort(5432)
            .endPort()
            .endSpec()
            .build();
    api.put(service);
  }

  /** Returns a plan that clears Endpoints. */
  private Plan change() {
    Endpoints endpoints =
        new EndpointsBuilder()
            .withNewMetadata()
            .withName("pg-rw")
            .endMetadata()
            .addNewSubset()
            .addNewAddress()
            .withIp("10.0.0.1")
            .endAddress()
            .addNewPort()
            .withPort(5432)
            .endPort()
            .endSubset()
            .build();
    return publisher.cleared(new ObservedService(endpoints, List.of()));
  }

  @Test
  void aServiceIsReadOnceAndBeforeEachWrite() throws Exception {
    service("postgresql", Map.of());

    check.check(unchanged);
    check.check(unchanged);
    assertEquals(1, api.calls().size());
    check.check(change());
    check.check(change());

    assertEquals(3, api.calls().size());
    assertEquals(List.of(), news());
  }

  @Test
  void anAnswerThatWasReadAheadCountsOnce() throws Exception {
    service("postgresql", Map.of());
    readAhead();
    assertEquals(1, api.calls().size());

    check.check(change());
    assertEquals(1, api.calls().size());
    check.check(change());
    assertEquals(2, api.calls().size());
  }

  @Test
  void readAheadAppliesOnlyToItsCycle() {
    service("postgresql", Map.of());
    readAhead();
    service("postgresql", Map.of("app", "pg"));

    check.readAhead(List.of());
    assertThrows(UnusableServiceException.class, () -> check.check(change()));
    assertEquals(2, api.calls().size());
  }

  @Test
  void aProblemThatWasReadAheadIsReadAgain() throws Exception {
    readAhead();
    service("postgresql", Map.of());

    check.check(change());
    assertEquals(2, api.calls().size());
  }

  @Test
  void failedReadAheadIsRepeatedBeforeWrite() throws Exception {
    service("postgresql", Map.of());
    api.fail(1, 403, "GET", "services");
    readAhead();

    check.check(change());
    assertEquals(2, api.calls().size());
    assertEquals(List.of(), news());
  }

  @Test
  void nothingIsReadAheadWithoutTheRight() throws Exception {
    api.deny("get", "services");
    check.check(change());
    readAhead();
    assertEquals(1, api.calls().size());
  }

  private void readAhead() {
    check.readAhead(List.of("pg-rw"));
    waiting.forEach(Runnable::run);
    waiting.clear();
  }

  @Test
  void aServiceThatDoesNotExistIsUnusable() {
    assertEquals(
        "Service pg-rw does not exist in namespace db: its Endpoints are not written",
        assertThrows(UnusableServiceException.class, () -> check.check(change())).getMessage());
  }

  @Test
  void aServiceWithASelectorIsUnusable() {
    service("postgresql", Map.of("app", "pg"));

    assertEquals(
        "Service pg-rw has a selector: Kubernetes writes its Endpoints, and the program does not",
        assertThrows(UnusableServiceException.class, () -> check.check(unchanged)).getMessage());
    assertThrows(UnusableServiceException.class, () -> check.check(unchanged), "it is read again");
  }

  @Test
  void reportsWrongPortNameOnce() throws Exception {
    service("postgresql", Map.of());
    check.check(unchanged);
    assertEquals(List.of(), news());

    service("db", Map.of());
    check.check(change());
    assertEquals(
        List.of(
            "Service pg-rw names its port 'db', but PORT_NAME is 'postgresql': nothing is"
                + " routed until both are the same"),
        news());
    check.check(change());
    assertEquals(List.of(), news());
  }

  @Test
  void reportsMissingRightAndRetriesLater() throws Exception {
    service("postgresql", Map.of("app", "pg"));
    api.deny("get", "services");

    check.check(change());
    check.check(change());
    assertEquals(1, api.calls().size());
    assertEquals(
        List.of(
            "the Role does not grant get on services pg-rw, pg-ro: that the Services exist and fit is not checked; add to the Role: apiGroups [\"\"], resources [services], resourceNames [pg-rw, pg-ro], verbs [get]"),
        news());

    api.heal();
    seconds = 30;
    budget.renew();
    assertThrows(UnusableServiceException.class, () -> check.check(change()));
  }

  @Test
  void anAnswerThatIsNotTheServiceIsAFailure() {
    api.fail(1, 401, "GET", "services");
    assertThrows(KubernetesClientException.class, () -> check.check(unchanged));
    api.misbehave(1, RawFault.body(404, "<html>Not here"));
    assertThrows(KubernetesClientException.class, () -> check.check(unchanged));
  }

  @Test
  void aCheckThatCouldEndTooLateIsNotSent() {
    seconds = 13;

    assertThrows(KubernetesClientException.class, () -> check.check(unchanged));
    assertEquals(List.of(), api.calls());
  }

  private List<String> news() {
    return conditions.endCycle().stream().map(Alert::message).toList();
  }
}
