package io.github.pgendpoints.kubernetes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.camel.cluster.CamelClusterEventListener;
import org.apache.camel.cluster.CamelClusterView;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Replicas that elect one of them, as the component {@code master:} sees it. */
class LeaseClusterServiceTest {
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final List<Replica> replicas = new ArrayList<>();

  private final class Replica {
    private final Leadership leadership = Leadership.byLease();
    private final List<Boolean> told = new CopyOnWriteArrayList<>();
    private final LeaseClusterService service;
    private final CamelClusterView view;

    Replica(String host) throws Exception {
      KubernetesClient client = api.client();
      service =
          new LeaseClusterService(
              client,
              "db",
              host,
              leadership,
              new KubernetesErrors(client.getConfiguration(), TestConditions.create()));
      service.start();
      view = service.getView("pem");
      CamelClusterEventListener.Leadership listener =
          (changed, leader) -> told.add(changed.getLocalMember().isLeader());
      view.addEventListener(listener);
      replicas.add(this);
    }

    boolean leads() {
      return leadership.isHeld() && view.getLocalMember().isLeader();
    }

    String id() {
      return view.getLocalMember().getId();
    }
  }

  @AfterEach
  void stop() {
    replicas.forEach(replica -> replica.service.stop());
    api.close();
  }

  private static void within(int millis, java.util.concurrent.Callable<Boolean> condition) {
    await().atMost(Duration.ofMillis(millis)).pollInterval(Duration.ofMillis(10)).until(condition);
  }

  private Lease lease() {
    return api.get(Lease.class, "db", "pem");
  }

  private void touch() {
    api.put(
        new LeaseBuilder(lease())
            .editMetadata()
            .addToLabels("touched", "true")
            .endMetadata()
            .build());
  }

  private void lease(String holder, ZonedDateTime renewed) {
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withName("pem")
            .withNamespace("db")
            .endMetadata()
            .withNewSpec()
            .withHolderIdentity(holder)
            .withLeaseDurationSeconds(6)
            .withAcquireTime(renewed)
            .withRenewTime(renewed)
            .endSpec()
            .build());
  }

  @Test
  void oneLeadsAndTheOtherKnowsWho() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.view.getLeader().isPresent());

    assertEquals(first.id(), second.view.getLeader().get().getId());
    assertEquals(first.id(), lease().getSpec().getHolderIdentity());
    assertFalse(second.leads());
    assertEquals(List.of(false, true), first.told);
    assertEquals(List.of(false), second.told);
    assertEquals(2, second.view.getMembers().size());
  }

  @Test
  void releasesTheLeaseWhenItStops() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.view.getLeader().isPresent());

    first.service.releaseView(first.view);

    assertFalse(first.leadership.isHeld());
    // Without the release it would be 6 s, by fabric8's own release a second and more.
    within(900, second::leads);
    assertEquals(second.id(), lease().getSpec().getHolderIdentity());
  }

  @Test
  void stopsInTimeWhenTheApiHangs() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.hang();
    long before = System.nanoTime();

    first.service.releaseView(first.view);

    assertTrue(Duration.ofNanos(System.nanoTime() - before).toMillis() < 1500);
    assertFalse(first.leadership.isHeld());
  }

  @Test
  void asksForNothingButGetCreateAndPatchOfLeases() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    within(5000, () -> api.requests().stream().anyMatch(r -> r.verb().equals("patch")));
    first.service.releaseView(first.view);

    Set<String> verbs = new TreeSet<>();
    for (ApiRequest request : api.requests()) {
      assertEquals("leases", request.target().resource());
      verbs.add(request.verb());
    }
    assertEquals(Set.of("create", "get", "patch"), verbs);
  }

  @Test
  void renewsByOneRequest() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    within(5000, () -> lease().getSpec().getRenewTime() != null);
    await().until(() -> api.requests().stream().anyMatch(r -> r.verb().equals("patch")));
    api.clearRequests();

    within(5000, () -> api.requests().size() >= 2);
    assertEquals(
        Set.of("patch"), api.requests().stream().map(ApiRequest::verb).collect(Collectors.toSet()));
    assertTrue(first.leads());
  }

  @Test
  void keepsALeaseThatSomebodyWroteATouchInto() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    touch();

    ZonedDateTime renewed = lease().getSpec().getRenewTime();
    within(4000, () -> lease().getSpec().getRenewTime().isAfter(renewed));
    within(1000, first::leads);
    assertEquals(List.of(false, true), first.told);
  }

  @Test
  void releasesALeaseThatSomebodyWroteATouchInto() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    within(5000, () -> api.requests().stream().anyMatch(r -> r.verb().equals("patch")));
    touch();

    first.service.releaseView(first.view);

    assertEquals("", lease().getSpec().getHolderIdentity());
  }

  @Test
  void makesADeletedLeaseAnewAtOnce() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.delete(Lease.class, "db", "pem");

    within(3000, () -> lease() != null && first.leads());
    assertEquals(List.of(false, true), first.told);
  }

  @Test
  void losesLeadershipWhenAnotherHoldsTheLeaseAndTakesItWhenThatOneIsGone() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);

    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    within(4000, () -> !first.view.getLocalMember().isLeader());
    assertFalse(first.leadership.isHeld());
    assertEquals("other", first.view.getLeader().get().getId());

    within(9000, first::leads);
    assertEquals(List.of(false, true, false, true), first.told);
  }

  @Test
  void doesNotMeasureAnotherReplicasRenewalByThatOnesClock() throws Exception {
    lease("other", ZonedDateTime.now(ZoneOffset.UTC).minusHours(1));
    Replica first = new Replica("a");
    within(5000, () -> first.view.getLeader().isPresent());
    for (int i = 0; i < 8; i++) {
      lease("other", ZonedDateTime.now(ZoneOffset.UTC).minusHours(1).plusSeconds(i));
      Thread.sleep(200);
      assertFalse(first.leads());
    }
    assertEquals("other", lease().getSpec().getHolderIdentity());
  }

  @Test
  void stopsWritingBeforeTheLeaseRunsOutWhenItCannotRenew() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.fail(1000, 500);

    within(5000, () -> !first.leadership.isHeld());
    within(5000, () -> !first.view.getLocalMember().isLeader());
    api.heal();
    within(5000, first::leads);
  }

  @Test
  void writesAloneWithoutTheRight() throws Exception {
    api.deny("get", "leases");
    Replica first = new Replica("a");

    within(5000, first::leads);
    assertEquals(List.of(false, true), first.told);
    api.clearRequests();
    Thread.sleep(1500);
    assertEquals(List.of(), api.calls());
  }

  /** As while a RoleBinding is replaced: nobody takes it for a Role without the right. */
  @Test
  void doesNotWriteAloneForARightThatIsGoneForAMoment() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.view.getLeader().isPresent());

    api.deny("get", "leases").deny("patch", "leases");
    Thread.sleep(5500);
    assertFalse(second.leads());
    assertFalse(first.leads());
    api.heal();
    within(5000, () -> first.leads() ^ second.leads());

    api.deny("get", "leases").deny("patch", "leases");
    within(20_000, () -> first.leads() && second.leads());
  }

  @Test
  void writesAloneWhenTheLeaseMayBeReadOnly() throws Exception {
    api.deny("create", "leases");
    Replica first = new Replica("a");

    within(5000, first::leads);
  }

  @Test
  void takesALeaseThatSaysNothing() throws Exception {
    api.put(
        new LeaseBuilder()
            .withNewMetadata()
            .withName("pem")
            .withNamespace("db")
            .endMetadata()
            .build());
    Replica first = new Replica("a");

    within(5000, first::leads);
    assertEquals(first.id(), lease().getSpec().getHolderIdentity());
  }
}
