package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The sink {@code events}, in runs whose node is down. */
@ManagerTest
class ServiceEventsTest {
  private final FakeApiServer api;
  private final KubernetesClient client;
  private final ServiceEvents events;

  ServiceEventsTest(FakeApiServer api) {
    this.api = api;
    client = KubernetesAccess.client(api.config(), Duration.ofSeconds(5));
    events = new ServiceEvents(client, new KubernetesErrors(client.getConfiguration()), "pod");
  }

  @AfterEach
  void stop() {
    client.close();
  }

  /** Runs one cycle, and returns the log without the lines about the node. */
  private List<String> run() {
    try (Run run =
        new Run(api)
            .with("PG_NODES", "127.0.0.1")
            .with("PGPORT", "1")
            .with("ALERT_SINKS", "events")) {
      assertEquals(1, run.once(), run.log().toString());
      return run.log().stream().filter(line -> !line.contains("127.0.0.1 is DOWN")).toList();
    }
  }

  private Event noPrimary() {
    return api.list(Event.class).stream()
        .filter(event -> event.getReason().equals("NoPrimary"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void ofAWriteAreOfTheServiceThatIsWritten() {
    emit("pg-ro", "Endpoints pg-ro deleted");
    emit("pg-ro", "pg-ro now has 10.0.0.2:5432 (was 10.0.0.3:5432)");
    emit("pg-ro", "pg-ro-ipv4 created with 10.0.0.2:5432");
    emit("pg-rw", "pg-rw now has 10.0.0.1:5432 (was 10.0.0.3:5432)");

    assertEquals(
        List.of("pg-ro", "pg-ro", "pg-ro", "pg-rw"),
        api.list(Event.class).stream()
            .sorted(Comparator.comparing(Event::getMessage))
            .map(event -> event.getInvolvedObject().getName())
            .toList()
            .subList(0, 4));
  }

  @Test
  void rememberARefusalOnlyForTheClusterThatItIsAbout() {
    api.deny("create", "events");
    emit("pg-rw", "pg-rw now has a");
    emit("pg-rw", "pg-rw now has b");
    emit(new Alert.Cluster("db", "other-rw", "other-ro"), "other-rw", "other-rw now has a");

    assertEquals(
        2, api.requests().stream().filter(request -> request.method().equals("POST")).count());
  }

  /** A Service that is deleted and created again has another uid. */
  @Test
  void haveTheUidThatTheServiceHasNow() {
    emit("pg-rw", "pg-rw now has a");
    String before = api.service("pg-rw").getMetadata().getUid();
    api.delete(Service.class, "db", "pg-rw");
    api.createService("pg-rw", "postgresql", 5432);
    emit("pg-rw", "pg-rw now has b");

    String after = api.service("pg-rw").getMetadata().getUid();
    assertNotEquals(before, after);
    assertEquals(
        after,
        api.list(Event.class).stream()
            .filter(event -> event.getMessage().endsWith("b"))
            .findFirst()
            .orElseThrow()
            .getInvolvedObject()
            .getUid());
  }

  private void emit(String service, String written) {
    emit(new Alert.Cluster("db", "pg-rw", "pg-ro"), service, written);
  }

  private void emit(Alert.Cluster cluster, String service, String written) {
    Instant now = Instant.now();
    events.emit(
        new Alert(
            Alert.Kind.WRITTEN,
            Alert.Severity.INFO,
            Alert.Phase.HAPPENED,
            null,
            service,
            "key",
            written,
            cluster,
            null,
            null,
            List.of(),
            now,
            now));
  }

  @Test
  void areOfTheServiceWithItsUid() {
    assertEquals(List.of(), run());

    assertEquals(2, api.list(Event.class).size());
    Event event = noPrimary();
    assertEquals("Warning", event.getType());
    assertEquals("Service", event.getInvolvedObject().getKind());
    assertEquals("pg-rw", event.getInvolvedObject().getName());
    assertEquals("db", event.getInvolvedObject().getNamespace());
    assertEquals(api.service("pg-rw").getMetadata().getUid(), event.getInvolvedObject().getUid());
    assertTrue(event.getMessage().startsWith("no primary, nothing is written"), "" + event);
    assertEquals("postgres-endpoint-manager", event.getSource().getComponent());
    assertEquals(event.getFirstTimestamp(), event.getLastTimestamp());
    assertEquals(
        2, api.list(Event.class).stream().map(e -> e.getMetadata().getName()).distinct().count());
  }

  @Test
  void areMadeWithoutAUidWhereServicesMayNotBeSeen() {
    api.deny("get", "services");
    List<String> said = run();
    assertEquals(1, said.size(), said.toString());
    assertTrue(
        said.get(0)
            .startsWith(
                "WARN the Role does not grant get on services pg-rw, pg-ro: kubectl describe does not show the Events of the Services; "),
        said.toString());
    assertTrue(
        said.get(0)
            .endsWith(
                "add to the Role: apiGroups [\"\"], resources [services], resourceNames [pg-rw, pg-ro], verbs [get]"),
        said.toString());
    assertEquals(null, noPrimary().getInvolvedObject().getUid());
  }

  @Test
  void areLeftOutWithOneWarningWhereTheyMayNotBeMade() {
    api.deny("create", "events");
    List<String> said = run();
    assertEquals(1, said.size(), said.toString());
    assertTrue(
        said.get(0)
            .startsWith(
                "WARN the Role does not grant create on events: alerts do not become Events; "),
        said.toString());
    assertTrue(
        said.get(0)
            .endsWith("add to the Role: apiGroups [\"\"], resources [events], verbs [create]"),
        said.toString());
    assertEquals(
        1, api.requests().stream().filter(r -> r.target().resource().equals("events")).count());
  }

  @Test
  void areTriedAgainWhenTheApiFails() {
    api.fail(1, 500, "POST", "events");
    assertEquals(List.of(), run());
    assertEquals(2, api.list(Event.class).size());
  }
}
