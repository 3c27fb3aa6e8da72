package io.github.pgendpoints.kubernetes.election;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Replicas that elect a leader. */
class ElectionTest {
  private final FakeApiServer api = new FakeApiServer("db").start();
  private final List<Replica> replicas = new ArrayList<>();

  /** A replica that records the calls of its listener. */
  private final class Replica implements ElectionListener {
    private final Leadership leadership = Leadership.byLease();
    private final List<String> events = new CopyOnWriteArrayList<>();
    private final List<Boolean> gains = new CopyOnWriteArrayList<>();
    private final Candidate candidate;
    private final String lease;
    private final Election election;

    Replica(String host) {
      this(host, "pem");
    }

    Replica(String host, String lease) {
      this(Candidate.of(Map.of("HOSTNAME", host), 1), lease);
    }

    Replica(Candidate candidate, String lease) {
      this(candidate, lease, "rw and ro");
    }

    Replica(Candidate candidate, String lease, String serves) {
      this.candidate = candidate;
      this.lease = lease;
      election =
          new Election(
              api.client(), "db", lease, candidate, serves, leadership, this, this::gained);
      election.start();
      replicas.add(this);
    }

    private void gained() {
      gains.add(leadership.isHeld());
    }

    boolean leads() {
      return leadership.isHeld();
    }

    boolean follows(Replica other) {
      return heard("follows " + other.id());
    }

    boolean heard(String event) {
      return events.contains(event);
    }

    String id() {
      return candidate.identity();
    }

    /** The events, except failures, of which there may be any number. */
    List<String> events() {
      return events.stream().filter(event -> !event.equals("failed")).toList();
    }

    @Override
    public String toString() {
      return id() + " " + events;
    }

    @Override
    public void leads(String identity) {
      assertEquals(id(), identity);
      assertEquals(
          identity,
          api.get(Lease.class, "db", lease).getSpec().getHolderIdentity(),
          "the Lease is granted");
      events.add("leads");
    }

    @Override
    public void ended(boolean isReleased) {
      assertFalse(leadership.isHeld());
      events.add(isReleased ? "released" : "lost");
    }

    @Override
    public void follows(String holder) {
      events.add("follows " + holder);
    }

    @Override
    public void shares(String holder, String serves) {
      assertEquals(serves, leadership.sharedWith());
      events.add("shares with " + holder + ": " + serves);
    }

    @Override
    public void waitsFor(String holder, Duration duration) {
      events.add("waits for " + holder);
    }

    @Override
    public void failed(KubernetesClientException failure) {
      events.add("failed");
    }

    @Override
    public void recovered() {
      events.add("recovered");
    }

    @Override
    public void notWatched() {
      events.add("not watched");
    }

    @Override
    public void notGranted(KubernetesClientException refusal) {
      events.add("not granted");
    }
  }

  @AfterEach
  void stop() {
    replicas.forEach(replica -> replica.election.stop());
    api.close();
  }

  private static void within(int millis, java.util.concurrent.Callable<Boolean> condition) {
    await().atMost(Duration.ofMillis(millis)).pollInterval(Duration.ofMillis(10)).until(condition);
  }

  /** Waits for the events: leadership begins a moment before the listener is called. */
  private static void hears(Replica replica, String... events) {
    within(2000, () -> replica.events().equals(List.of(events)));
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
    within(5000, () -> second.follows(first));

    assertEquals(first.id(), lease().getSpec().getHolderIdentity());
    assertFalse(second.leads());
    hears(first, "leads");
    within(1000, () -> first.gains.equals(List.of(true)));
    assertEquals(List.of("follows " + first.id()), second.events);
    assertEquals(List.of(), second.gains);
  }

  @Test
  void reportsAnotherInstallationThatHoldsTheLease() {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica other = new Replica(Candidate.of(Map.of("HOSTNAME", "b"), 1), "pem", "x and y");
    hears(other, "shares with " + first.id() + ": rw and ro");

    first.election.stop();
    within(5000, other::leads);
    assertNull(other.leadership.sharedWith());
    Replica second = new Replica("c");
    hears(second, "shares with " + other.id() + ": x and y");
  }

  /** The foreign holder keeps the annotation of the previous holder. */
  @Test
  void reportsAForeignHolderAndLeadsOnceItIsRemoved() {
    Replica first = new Replica("a");
    within(5000, first::leads);
    first.election.stop();
    within(5000, () -> lease().getSpec().getHolderIdentity().isEmpty());
    api.put(
        new LeaseBuilder(lease())
            .editSpec()
            .withHolderIdentity("somebody")
            .withLeaseDurationSeconds(3600)
            .endSpec()
            .build());

    Replica second = new Replica("b");
    hears(second, "waits for somebody");
    assertNull(second.leadership.sharedWith());
    touch();
    api.put(new LeaseBuilder(lease()).editSpec().withHolderIdentity("").endSpec().build());
    within(5000, second::leads);
    hears(second, "waits for somebody", "leads");
  }

  @Test
  void releasesTheLeaseWhenItStops() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.follows(first));

    first.election.stop();

    assertFalse(first.leadership.isHeld());
    // Without the release, this would take 4 s.
    within(1500, second::leads);
    hears(first, "leads", "released");
    assertEquals(second.id(), lease().getSpec().getHolderIdentity());
  }

  @Test
  void reportsALossIfTheReleaseHangs() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.hang();
    long before = System.nanoTime();

    first.election.stop();

    assertTrue(Duration.ofNanos(System.nanoTime() - before).toMillis() < 2500);
    assertFalse(first.leadership.isHeld());
    hears(first, "leads", "lost");
  }

  /** The release also works while a renewal is in progress, which it has to wait for. */
  @Test
  void releasesTheLeaseByOneSlowRequest() {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.delay(Duration.ofMillis(600)).clearRequests();
    await().until(() -> !api.requests().isEmpty());

    first.election.stop();

    hears(first, "leads", "released");
    assertEquals("", lease().getSpec().getHolderIdentity());
    assertEquals(0, reads());
  }

  @Test
  void requestsOnlyTheLease() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    within(5000, () -> api.requests().stream().anyMatch(r -> r.verb().equals("patch")));
    Replica second = new Replica("b");
    within(5000, () -> second.follows(first) && api.requests().stream().anyMatch(this::isWatch));
    first.election.stop();

    Set<String> verbs = new TreeSet<>();
    for (ApiRequest request : api.requests()) {
      assertEquals("leases", request.target().resource());
      verbs.add(request.verb());
    }
    assertEquals(Set.of("create", "get", "list", "patch", "watch"), verbs);
  }

  @Test
  void readsTheLeaseAsSoonAsItChanges() {
    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    Replica first = new Replica("a");
    within(
        5000,
        () -> first.heard("waits for other") && api.requests().stream().anyMatch(this::isWatch));

    // The periodic reads are further apart.
    for (int i = 0; i < 5; i++) {
      api.clearRequests();
      lease("other", ZonedDateTime.now(ZoneOffset.UTC));
      within(500, () -> reads() > 0);
    }
  }

  @Test
  void readsEachRenewalOfAnotherReplicaOnce() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.follows(first) && api.requests().stream().anyMatch(this::isWatch));
    api.clearRequests();

    within(9000, () -> renewals() == 4 && reads() >= 4);
    assertTrue(reads() <= 5, api.calls()::toString);
  }

  @Test
  void takesADeadReplicasLeaseWithoutWatching() {
    api.deny("list", "leases").deny("watch", "leases");
    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    Replica first = new Replica("a");
    within(5000, () -> first.heard("waits for other"));

    within(9000, first::leads);
    hears(first, "waits for other", "not watched", "leads");
  }

  private boolean isWatch(ApiRequest request) {
    return request.verb().equals("watch");
  }

  private long reads() {
    return api.requests().stream().filter(request -> request.verb().equals("get")).count();
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
  void keepsALeaseThatAnotherWriterChanged() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    touch();

    ZonedDateTime renewed = lease().getSpec().getRenewTime();
    within(4000, () -> lease().getSpec().getRenewTime().isAfter(renewed));
    within(1000, first::leads);
    hears(first, "leads");
  }

  @Test
  void releasesALeaseThatAnotherWriterChanged() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    within(5000, () -> api.requests().stream().anyMatch(r -> r.verb().equals("patch")));
    touch();

    first.election.stop();

    assertEquals("", lease().getSpec().getHolderIdentity());
  }

  @Test
  void recreatesADeletedLease() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.delete(Lease.class, "db", "pem");

    within(3000, () -> lease() != null && first.leads());
    hears(first, "leads");
  }

  /** The holder writes until its last renewal is 3 s old, and creates the Lease again. */
  @Test
  void leavesADeletedLeaseToItsHolder() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.follows(first) && api.requests().stream().anyMatch(this::isWatch));

    for (int i = 0; i < 3; i++) {
      api.delete(Lease.class, "db", "pem");
      within(3000, () -> lease() != null && first.leads());
      api.clearRequests();
      within(3000, () -> reads() > 0);
    }
    assertFalse(first.heard("lost"), first::toString);
    assertFalse(second.heard("leads"), second::toString);
  }

  @Test
  void takesADeletedLeaseAfterItsDuration() throws Exception {
    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    Replica first = new Replica("a");
    within(5000, () -> first.heard("waits for other"));
    long deleted = System.nanoTime();
    api.delete(Lease.class, "db", "pem");

    within(9000, first::leads);
    Duration took = Duration.ofNanos(System.nanoTime() - deleted);
    assertTrue(took.compareTo(Duration.ofSeconds(4)) > 0, took::toString);
    hears(first, "waits for other", "leads");
  }

  @Test
  void yieldsToAnotherHolderUntilItIsGone() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);

    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    within(4000, () -> first.events.contains("waits for other"));
    assertFalse(first.leads());

    within(9000, first::leads);
    hears(first, "leads", "lost", "waits for other", "leads");
  }

  @Test
  void ignoresTheClockOfAnotherReplica() throws Exception {
    lease("other", ZonedDateTime.now(ZoneOffset.UTC).minusHours(1));
    Replica first = new Replica("a");
    within(5000, () -> first.events.contains("waits for other"));
    for (int i = 0; i < 8; i++) {
      api.clearRequests();
      lease("other", ZonedDateTime.now(ZoneOffset.UTC).minusHours(1).plusSeconds(i));
      within(1000, () -> reads() > 0);
      assertFalse(first.leads());
    }
    assertEquals("other", lease().getSpec().getHolderIdentity());
  }

  @Test
  void stopsWritingIfItCannotRenew() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.fail(1000, 500);

    within(5000, () -> !first.leads());
    within(5000, () -> first.events.contains("lost"));
    api.heal();
    within(5000, first::leads);
    hears(first, "leads", "lost", "recovered", "leads");
  }

  @Test
  void writesAloneWithoutTheRight() throws Exception {
    api.deny("get", "leases");
    Replica first = new Replica("a");

    within(5000, first::leads);
    hears(first, "not granted");
    api.clearRequests();
    await()
        .during(Duration.ofMillis(1500))
        .atMost(Duration.ofSeconds(2))
        .until(() -> api.calls().isEmpty());
  }

  /** While a RoleBinding is replaced, no replica concludes that its Role lacks the right. */
  @Test
  void doesNotWriteAloneAfterAShortRefusal() throws Exception {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("b");
    within(5000, () -> second.follows(first));

    api.deny("get", "leases").deny("patch", "leases");
    within(5000, () -> first.heard("lost"));
    long asked = api.requests().size();
    within(
        20_000,
        () ->
            lease()
                    .getSpec()
                    .getRenewTime()
                    .plusSeconds(lease().getSpec().getLeaseDurationSeconds())
                    .isBefore(ZonedDateTime.now(ZoneOffset.UTC))
                && api.requests().size() > asked);
    assertFalse(second.leads());
    assertFalse(first.leads());
    api.heal();
    within(5000, () -> first.leads() ^ second.leads());

    api.deny("get", "leases").deny("patch", "leases");
    within(20_000, () -> first.leads() && second.leads());
  }

  @Test
  void standsByAgainWhenTheRightIsBack() throws Exception {
    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    Replica first = new Replica("a");
    within(5000, () -> first.heard("waits for other"));
    api.deny("get", "leases").deny("list", "leases").deny("watch", "leases");
    within(20_000, first::leads);
    lease("other", ZonedDateTime.now(ZoneOffset.UTC));
    first.events.clear();
    api.heal();

    within(13_000, () -> first.heard("waits for other"));
    assertFalse(first.leads());
  }

  @Test
  void writesAloneIfItMayOnlyReadTheLease() throws Exception {
    api.deny("create", "leases");
    Replica first = new Replica("a");

    within(5000, first::leads);
  }

  @Test
  void takesALeaseWithoutASpec() throws Exception {
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

  /** The kubelet has restarted the container. The Lease still names the previous process. */
  @Test
  void takesTheLeaseOfItsDeadPredecessorAtOnce() {
    Map<String, String> pod = Map.of("HOSTNAME", "a", "POD_UID", "11111111-2222");
    lease(Candidate.of(pod, 1).identity(), ZonedDateTime.now(ZoneOffset.UTC));
    Replica restarted = new Replica(Candidate.of(pod, 1), "pem");

    within(1500, restarted::leads);
    hears(restarted, "leads");
  }

  /** A host name alone proves nothing: two machines or two people may use the same one. */
  @Test
  void leavesTheLeaseToALiveProcessOfTheSameHostName() {
    Replica first = new Replica("a");
    within(5000, first::leads);
    Replica second = new Replica("a");

    within(5000, () -> second.follows(first));
    assertTrue(first.leads());
    assertFalse(second.leads());
  }

  /** How the API server fails for longer than a Lease lasts. */
  private enum Outage {
    FREEZE {
      @Override
      void begin(FakeApiServer api) {
        api.hang();
      }

      @Override
      void end(FakeApiServer api) {
        api.heal();
      }
    },
    KILL {
      @Override
      void begin(FakeApiServer api) {
        api.stop();
      }

      @Override
      void end(FakeApiServer api) {
        api.start();
      }
    };

    abstract void begin(FakeApiServer api);

    abstract void end(FakeApiServer api);
  }

  /** The API server is back for both replicas of a Lease at once: either may become the holder. */
  @ParameterizedTest
  @EnumSource
  void onlyOneReplicaLeadsAfterAnOutage(Outage outage) {
    List<List<Replica>> pairs = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      pairs.add(List.of(new Replica("a", "lease-" + i), new Replica("b", "lease-" + i)));
    }
    within(20_000, () -> pairs.stream().allMatch(ElectionTest::oneLeads));
    outage.begin(api);
    within(20_000, () -> replicas.stream().noneMatch(Replica::leads));
    within(9000, () -> leases().stream().allMatch(ElectionTest::hasRunOut));
    replicas.forEach(replica -> replica.events.clear());
    outage.end(api);

    within(10_000, () -> pairs.stream().allMatch(ElectionTest::oneLeads));
    ZonedDateTime led = ZonedDateTime.now(ZoneOffset.UTC);
    within(
        5000,
        () -> leases().stream().allMatch(lease -> lease.getSpec().getRenewTime().isAfter(led)));
    for (List<Replica> pair : pairs) {
      assertTrue(oneLeads(pair), pair::toString);
      List<String> changes =
          pair.stream()
              .flatMap(replica -> replica.events().stream())
              .filter(event -> !event.startsWith("follows") && !event.equals("recovered"))
              .toList();
      assertEquals(List.of("leads"), changes, pair::toString);
    }
  }

  private long renewals() {
    return api.requests().stream().filter(request -> request.verb().equals("patch")).count();
  }

  private List<Lease> leases() {
    return api.list(Lease.class);
  }

  private static boolean hasRunOut(Lease lease) {
    var spec = lease.getSpec();
    return spec.getRenewTime()
        .plusSeconds(spec.getLeaseDurationSeconds())
        .isBefore(ZonedDateTime.now(ZoneOffset.UTC));
  }

  private static boolean oneLeads(List<Replica> pair) {
    return pair.stream().filter(Replica::leads).count() == 1;
  }

  /** While reads succeed and renewals fail, there is one long failure, not a series of them. */
  @Test
  void recoversOnlyWhenTheLeaseIsRenewed() {
    Replica first = new Replica("a");
    within(5000, first::leads);
    api.fail(1000, 500, "PATCH", "leases");

    within(8000, () -> first.events.stream().filter("failed"::equals).count() > 3);
    assertFalse(first.events.contains("recovered"), first.events::toString);
    api.heal();
    within(3000, () -> first.events.contains("recovered"));
  }
}
