package io.github.pgendpoints.status;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Http;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tests what the command status shows for a real cluster. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_TEST)
class StatusIT {
  private final FakeApiServer api;
  private final PostgresCluster cluster;

  StatusIT(PostgresCluster cluster, FakeApiServer api) {
    this.cluster = cluster;
    this.api = api;
  }

  @Test
  void showsNodesAndServicesAndWritesNothing() throws JsonProcessingException {
    JsonNode first = json(0);
    assertEquals(List.of(), api.writes());
    assertNull(api.endpoints("pg-rw"));
    assertTrue(first.get("verified").asBoolean());
    assertTrue(first.at("/services/0/observed").isNull(), first.toString());
    assertFalse(first.at("/services/0/upToDate").asBoolean());

    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    api.editEndpoints("pg-ro", EndpointsBuilder::withSubsets);
    api.clearRequests();
    JsonNode status = json(0);
    assertEquals(List.of(), api.writes());
    String port = ":" + cluster.port() + " (postgresql)";
    assertEquals(
        "{\"service\":\"pg-rw\",\"desired\":[\"127.0.0.1%1$s\"],\"observed\":[\"127.0.0.1%1$s\"],\"upToDate\":true,\"clients\":null}"
            .formatted(port),
        status.at("/services/0").toString());
    assertEquals(
        "{\"service\":\"pg-ro\",\"desired\":[\"127.0.0.2%1$s\",\"127.0.0.3%1$s\"],\"observed\":[],\"upToDate\":false,\"clients\":null}"
            .formatted(port),
        status.at("/services/1").toString());
    assertEquals("PRIMARY", status.at("/nodes/0/state").asText());
    assertEquals(1, status.at("/nodes/0/timeline").asInt());
    assertEquals("[\"pg-rw\"]", status.at("/nodes/0/publishedIn").toString());
    assertEquals("STANDBY", status.at("/nodes/1/state").asText());
    assertTrue(status.at("/nodes/1/lag").isNumber(), status.toString());
    assertEquals("[]", status.at("/nodes/1/publishedIn").toString());
  }

  @Test
  void showsWhatIsRefusedWithTheReason() throws JsonProcessingException, SQLException {
    try (Run run = run()) {
      assertEquals(0, run.once(), run.log().toString());
    }
    cluster.servers().get(1).promote();
    api.clearRequests();

    JsonNode status = json(1);
    assertFalse(status.get("verified").asBoolean());
    assertTrue(
        status.at("/reasons/0").asText().startsWith("multiple primaries"), status.toString());
    assertTrue(status.at("/services/0/desired").isNull());
    try (Run run = run().with("ON_SPLIT_BRAIN", "clear")) {
      run.start(Mode.STATUS);
      assertEquals(1, run.exitCode());
      assertTrue(
          run.out()
              .matches("(?s)Refused.\n- multiple primaries.*\nNODE .*\n127.0.0.2 .*\nSERVICE .*"),
          run.out());
    }
    assertEquals(List.of(), api.writes());
  }

  @Test
  void reportsThatTheApiCannotBeReached() throws JsonProcessingException {
    api.stop();
    JsonNode status = json(3);

    assertTrue(status.at("/reasons/0").asText().contains("cannot be reached"), status.toString());
    assertEquals("[]", status.get("nodes").toString());
    assertEquals("[]", status.get("services").toString());
  }

  @Test
  void asksTheManagerThatRuns() throws Exception {
    int port = Http.freePort();
    Map<String, String> settings = Map.of("MANAGEMENT_PORT", String.valueOf(port));
    try (Run manager = with(settings).start(Mode.CONTINUOUS)) {
      String fingerprint = fingerprint(with(settings));
      await().until(() -> RunningManager.ask(port, fingerprint, false) != null);
      await()
          .until(() -> RunningManager.ask(port, fingerprint, false).text().contains("up to date"));
      JsonNode own = json(0);
      api.clearRequests();
      RunningManager.Answer text = RunningManager.ask(port, fingerprint, false);
      RunningManager.Answer json = RunningManager.ask(port, fingerprint, true);

      assertEquals(0, text.exitCode());
      assertTrue(text.text().startsWith("Verified."), text.text());
      assertTrue(text.text().contains("\nFound by the running manager "), text.text());
      JsonNode asked = new ObjectMapper().readTree(json.text());
      assertEquals("manager", asked.at("/source/by").asText());
      assertEquals("command", own.at("/source/by").asText());
      assertEquals(comparable(own), comparable(asked));
      assertEquals(List.of(), manager.logged("ERROR"));
      assertNull(RunningManager.ask(port, fingerprint(with(Map.of("PAUSED", "true"))), false));
    }
    assertNull(RunningManager.ask(port, fingerprint(with(settings)), false));
  }

  /** The reasons are those of the last cycle, even if another replica reports them. */
  @Test
  void asksAReplicaThatStandsByForTheReasons() throws Exception {
    int port = Http.freePort();
    Map<String, String> settings =
        Map.of("MANAGEMENT_PORT", String.valueOf(port), "LEASE_NAME", "pem");
    try (Run leader = with(Map.of("LEASE_NAME", "pem")).start(Mode.CONTINUOUS)) {
      await().until(() -> !leader.logged("topology verified").isEmpty());
      try (Run follower = with(settings).start(Mode.CONTINUOUS)) {
        String fingerprint = fingerprint(with(settings));
        await().until(() -> RunningManager.ask(port, fingerprint, false) != null);
        cluster.servers().get(1).promote();
        await().until(() -> RunningManager.ask(port, fingerprint, false).exitCode() == 1);

        String text = RunningManager.ask(port, fingerprint, false).text();
        assertTrue(text.startsWith("Refused.\n- multiple primaries, nothing"), text);
        assertTrue(text.contains(", which stands by, at "), text);
        assertTrue(text.replaceAll("\\s+", " ").trim().endsWith(" leads."), text);
        JsonNode source =
            new ObjectMapper()
                .readTree(RunningManager.ask(port, fingerprint, true).text())
                .get("source");
        assertFalse(source.get("leading").asBoolean(), source::toString);
        assertFalse(source.get("leader").asText().isEmpty(), source::toString);
        assertTrue(source.get("ageSeconds").isNumber(), source::toString);
        // Both runs share the log of this process. Only the leader has reported the error.
        assertEquals(1, follower.logged("ERROR multiple primaries").size());
      }
    }
  }

  private static JsonNode comparable(JsonNode status) {
    ObjectNode copy = status.deepCopy();
    copy.remove("source");
    // These values change with the servers' WAL.
    copy.withArray("nodes").forEach(node -> ((ObjectNode) node).remove(List.of("lsn", "lag")));
    return copy;
  }

  private Run with(Map<String, String> settings) {
    Run run = run();
    settings.forEach(run::with);
    return run;
  }

  private static String fingerprint(Run run) {
    try (run) {
      return run.settings().fingerprint();
    }
  }

  private JsonNode json(int exitCode) throws JsonProcessingException {
    try (Run run = run()) {
      run.start(Mode.STATUS_JSON);
      assertEquals(exitCode, run.exitCode(), run.log().toString());
      return new ObjectMapper().readTree(run.out());
    }
  }

  private Run run() {
    return new Run(cluster, api).with("KUBERNETES_TIMEOUT", "1s");
  }
}
