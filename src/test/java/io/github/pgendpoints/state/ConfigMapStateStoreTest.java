package io.github.pgendpoints.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.ApiRights;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.KubernetesErrors;
import io.github.pgendpoints.alert.TestConditions;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.publish.ApiBudget;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.UnreadableStateException;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.RawFault;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Rival;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConfigMapStateStoreTest {
  private static final String PATH = "/api/v1/namespaces/db/configmaps";
  private static final Rival RIVAL =
      new Rival("10.0.0.3:5432", "db3", Instant.parse("2026-11-28T05:06:07Z"), null, false);

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final Conditions conditions = TestConditions.create();
  private final AtomicLong nanos = new AtomicLong(1);
  private final ApiBudget budget = new ApiBudget(Duration.ofSeconds(3), System::nanoTime);
  private final ConfigMapStateStore store = store("pg-rw", () -> {});

  @BeforeEach
  void begin() {
    budget.renew();
  }

  @AfterEach
  void stop() {
    api.close();
  }

  private ConfigMapStateStore store(String key, Runnable guard) {
    var client = api.client();
    return new ConfigMapStateStore(
        client,
        "db",
        "s",
        key,
        new KubernetesErrors(client.getConfiguration()),
        new ApiRights(List.of("pg-rw", "pg-ro"), "s", conditions::reportDegradation, nanos::get),
        conditions,
        budget,
        guard,
        nanos::get);
  }

  private static Memory onTimeline(long timeline, Rival... rivals) {
    return Memory.stored(
        0,
        new PublishedPrimary(
            new Line("7000000000000000001", timeline, null),
            List.of("10.0.0.1:5432"),
            "db1",
            1_700_000_000_000_000L),
        List.of(rivals),
        List.of());
  }

  private String value(String key) {
    ConfigMap map = api.get(ConfigMap.class, "db", "s");
    return map == null ? null : map.getData().get(key);
  }

  private void put(Map<String, String> data) {
    api.put(
        new ConfigMapBuilder()
            .withNewMetadata()
            .withName("s")
            .withNamespace("db")
            .endMetadata()
            .withData(data)
            .build());
  }

  private List<String> said() {
    return conditions.endCycle().stream()
        .map(alert -> alert.severity() + " " + alert.message())
        .toList();
  }

  @Test
  void isEmptyWhereThereIsNothing() throws Exception {
    Memory read = store.read();

    assertTrue(
        Memory.stored(0, PublishedPrimary.none(), List.of(), List.of()).isSameForOthers(read));
    store.write(read);
    assertEquals(List.of("GET " + PATH + "/s"), api.calls(), "nothing to write");
    assertEquals(List.of(), said());
  }

  @Test
  void givesAnotherProcessWhatItWrote() throws Exception {
    store.read();
    store.write(onTimeline(2, RIVAL));
    store.write(onTimeline(2, RIVAL));
    store.write(onTimeline(3));

    assertEquals(
        List.of("GET " + PATH + "/s", "POST " + PATH, "PATCH " + PATH + "/s"), api.calls());
    assertTrue(onTimeline(3).isSameForOthers(store("pg-rw", () -> {}).read()));
  }

  @Test
  void keepsWhatOthersKeepInTheSameConfigMap() throws Exception {
    ConfigMapStateStore other = store("other-rw", () -> {});
    store.read();
    other.read();
    store.write(onTimeline(2));
    other.write(onTimeline(9, RIVAL));
    store.write(onTimeline(3));
    other.write(onTimeline(9));

    assertTrue(onTimeline(3).isSameForOthers(store("pg-rw", () -> {}).read()));
    assertTrue(onTimeline(9).isSameForOthers(store("other-rw", () -> {}).read()));
  }

  @Test
  void doesNotOverwriteWhatAnotherProcessWroteMeanwhile() throws Exception {
    ConfigMapStateStore other = store("pg-rw", () -> {});
    store.read();
    other.read();
    other.write(onTimeline(2, RIVAL));

    OutdatedTopologyException thrown =
        assertThrows(OutdatedTopologyException.class, () -> store.write(onTimeline(2)));

    assertEquals(
        "STATE s was written by another process while the nodes were probed", thrown.getMessage());
    store.write(onTimeline(2));
    assertTrue(onTimeline(2, RIVAL).isSameForOthers(store.read()), "not before it has read it");
    store.write(onTimeline(2));
    assertTrue(onTimeline(2).isSameForOthers(other.read()));
  }

  @Test
  void writesAgainWhatSomebodyDeleted() throws Exception {
    store.read();
    store.write(onTimeline(2));
    api.delete(ConfigMap.class, "db", "s");

    assertThrows(OutdatedTopologyException.class, () -> store.write(onTimeline(3)));
    assertTrue(store.read().rivals().isEmpty());
    store.write(onTimeline(3));

    assertTrue(onTimeline(3).isSameForOthers(store.read()));
  }

  @Test
  void takesItsOwnWriteForDoneThoughTheAnswerWasLost() throws Exception {
    store.read();
    store.write(onTimeline(2));
    api.delay(Duration.ofSeconds(4));
    // The client sends the write again, since it got no answer in time.
    api.beforeNext("PATCH", "configmaps", () -> api.beforeNext("PATCH", "configmaps", api::heal));

    store.write(onTimeline(3));

    assertTrue(onTimeline(3).isSameForOthers(store.read()));
  }

  @Test
  void triesAgainWhileTheApiMayDoBetter() throws Exception {
    api.fail(2, 503, "GET", "configmaps");
    store.read();
    api.fail(2, 500, "POST", "configmaps");
    store.write(onTimeline(2));

    assertTrue(onTimeline(2).isSameForOthers(store.read()));
  }

  @Test
  void isUnreadableWhenTheApiFails() {
    api.fail(100, 500, "GET", "configmaps");

    String message = assertThrows(UnreadableStateException.class, store::read).getMessage();

    assertTrue(
        message.startsWith("STATE s cannot be read: the Kubernetes API at 127.0.0.1:"), message);
    assertTrue(message.contains("refused the request (500)"), message);
  }

  @Test
  void isUnreadableWhenAProxySaysThatItDoesNotExist() {
    api.misbehave(100, RawFault.body(404, "<html>Not here</html>"));
    assertThrows(UnreadableStateException.class, store::read);
    api.heal().misbehave(100, RawFault.body(200, "{}"));
    assertThrows(UnreadableStateException.class, store::read);
  }

  @Test
  void worksWithoutTheRightAndReadsAgainLater() throws Exception {
    put(Map.of("pg-rw", new StateDocument(onTimeline(2, RIVAL), null).json()));
    api.deny("get", "configmaps");

    assertNull(store.read());
    store.write(onTimeline(3));
    assertFalse(store.isReadDue());
    assertNull(store.read());

    List<String> said = said();
    assertEquals(1, said.size(), said.toString());
    assertTrue(
        said.get(0)
            .startsWith(
                "WARN the Role does not grant get, patch, create on configmaps s: only this process remembers a split brain and the published line"),
        said.toString());
    assertTrue(
        said.get(0)
            .endsWith(
                "; add to the Role: apiGroups [\"\"], resources [configmaps], resourceNames [s], verbs [get, patch]; and apiGroups [\"\"], resources [configmaps], verbs [create]"),
        said.toString());
    assertTrue(api.calls().stream().allMatch(call -> call.startsWith("GET ")), "not overwritten");
    nanos.addAndGet(Duration.ofSeconds(30).toNanos());
    assertTrue(store.isReadDue());
    api.heal();
    assertTrue(onTimeline(2, RIVAL).isSameForOthers(store.read()));
    assertFalse(store.isReadDue());
  }

  @Test
  void goesOnWithoutTheRightToWrite() throws Exception {
    api.deny("create", "configmaps");
    store.read();
    store.write(onTimeline(2));
    store.write(onTimeline(3));

    assertEquals(1, said().size());
    assertEquals(2, api.calls().size());
    nanos.addAndGet(Duration.ofSeconds(30).toNanos());
    api.heal();
    assertTrue(store.isReadDue());
    store.read();
    store.write(onTimeline(3));
    assertTrue(onTimeline(3).isSameForOthers(store.read()));
  }

  @Test
  void leavesAValueOfAnotherVersionAlone() throws Exception {
    put(Map.of("pg-rw", "{\"version\":2}"));

    assertNull(store.read());
    store.write(onTimeline(2));
    store.overwrite(onTimeline(2));

    assertEquals("{\"version\":2}", value("pg-rw"));
    assertEquals(
        List.of(
            "WARN STATE s cannot be read, only this process remembers a split brain and the published line: its key pg-rw is of another version of this program"),
        said());
  }

  @Test
  void namesWhatIsBrokenAndHowToEndIt() throws Exception {
    put(Map.of("pg-rw", "{\"generation\":", "other", "kept"));

    assertEquals(
        "STATE: ConfigMap s has a key pg-rw that cannot be read, it is not JSON; to replace it: postgres-endpoint-manager overrule, or delete the key, which discards its contents",
        assertThrows(UnreadableStateException.class, store::read).getMessage());
    store.write(onTimeline(2));
    assertEquals("{\"generation\":", value("pg-rw"));

    store.overwrite(onTimeline(2));
    assertTrue(onTimeline(2).isSameForOthers(store("pg-rw", () -> {}).read()));
    assertEquals("kept", value("other"));
  }

  @Test
  void noticesAtItsNextWriteWhatSomebodyHasBroken() throws Exception {
    store.read();
    store.write(onTimeline(2));
    put(Map.of("pg-rw", "{"));
    assertFalse(store.isReadDue());

    assertThrows(OutdatedTopologyException.class, () -> store.write("{\"a\":1}"));

    assertTrue(store.isReadDue());
    assertThrows(UnreadableStateException.class, store::read);
    assertEquals("{", value("pg-rw"));
  }

  @Test
  void overwritesWhateverOthersWriteMeanwhile() throws Exception {
    store.read();
    store.write(onTimeline(2, RIVAL));
    ConfigMapStateStore person = store("pg-rw", () -> {});
    api.beforeNext(
        "PATCH",
        "configmaps",
        () -> put(Map.of("pg-rw", new StateDocument(onTimeline(5, RIVAL), null).json())));

    person.overwrite(onTimeline(2));

    assertTrue(onTimeline(2).isSameForOthers(store.read()));
  }

  @Test
  void writesNothingWhenItMayNot() throws Exception {
    ConfigMapStateStore follower =
        store(
            "pg-rw",
            () -> {
              throw new NotLeaderException("not the leader");
            });
    follower.read();

    assertThrows(NotLeaderException.class, () -> follower.write(onTimeline(2)));
    assertNull(value("pg-rw"));
  }

  @Test
  void keepsConditionsAndMemoryByOneVersion() throws Exception {
    assertNull(store.conditions());
    store.read();
    assertEquals(1, api.calls().size(), "read once");
    store.write(onTimeline(2, RIVAL));
    store.write("{\"a\":1}");
    store.write("{\"a\":1}");
    store.write(onTimeline(3));

    assertEquals(4, api.calls().size());
    ConfigMapStateStore next = store("pg-rw", () -> {});
    assertEquals("{\"a\":1}", next.conditions());
    assertTrue(onTimeline(3).isSameForOthers(next.read()));
  }

  @Test
  void isReadAgainWhenItsConditionsWereReadSince() throws Exception {
    store.read();
    store.write(onTimeline(2));
    assertFalse(store.isReadDue());
    ConfigMapStateStore other = store("pg-rw", () -> {});
    other.read();
    other.write(onTimeline(2, RIVAL));

    store.conditions();

    assertTrue(store.isReadDue(), "else the next write drops what the other one knows");
    assertTrue(onTimeline(2, RIVAL).isSameForOthers(store.read()));
    assertFalse(store.isReadDue());
  }

  @Test
  void isReadAgainWhenItsConditionsCouldNotBeRead() throws Exception {
    store.read();
    api.stop();
    store.conditions();
    api.start();

    assertTrue(store.isReadDue());
    store.read();
    assertFalse(store.isReadDue());
  }

  @Test
  void failsWhenTheApiDoesNotTakeIt() throws Exception {
    store.read();
    api.fail(100, 500, "POST", "configmaps");
    assertThrows(KubernetesClientException.class, () -> store.write(onTimeline(2)));
    budget.renew();
    api.heal();
    store.write(onTimeline(2));
    assertTrue(onTimeline(2).isSameForOthers(store.read()));
  }
}
