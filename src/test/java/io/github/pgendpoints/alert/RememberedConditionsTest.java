package io.github.pgendpoints.alert;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.github.pgendpoints.cycle.Mode;
import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs of one cycle with STATE, mostly under its older name ALERT_STATE. Their nodes are down. */
class RememberedConditionsTest {
  private static final List<String> BEGINNING =
      List.of(
          "WARN 127.0.0.1 is DOWN (Connection refused)",
          "ERROR no primary, nothing is written: 127.0.0.1 is DOWN (Connection refused)");

  private static final String EMPTY =
      "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[]}";

  private static final String AGAIN =
      "ERROR unchanged: no primary, nothing is written: 127.0.0.1 is DOWN (Connection refused); since ";

  private final FakeApiServer api = new FakeApiServer("db", true).start();

  @AfterEach
  void stop() {
    api.close();
  }

  /** Returns the log of a run whose node is down. */
  private List<String> said(int exitCode) {
    try (Run run =
        new Run(api).with("PG_NODES", "127.0.0.1").with("PGPORT", "1").with("ALERT_STATE", "c")) {
      assertEquals(exitCode, run.once(), run.log().toString());
      return run.log();
    }
  }

  private static void assertLogsItsFindingInOneLine(List<String> said) {
    assertEquals(1, said.size(), said.toString());
    assertTrue(said.get(0).matches(Pattern.quote(AGAIN) + "\\S+Z"), said.toString());
  }

  private void assertSaysAllAgainAnd(String warning) {
    List<String> said = said(1);
    assertEquals(3, said.size(), said.toString());
    assertTrue(said.containsAll(BEGINNING), said.toString());
    assertTrue(said.stream().anyMatch(line -> line.startsWith("WARN " + warning)), said.toString());
  }

  @Test
  void aRunGoesOnWhereTheOneBeforeEnded() {
    assertEquals(BEGINNING, said(1));
    api.clearRequests();
    assertLogsItsFindingInOneLine(said(1));
    assertTrue(api.requests().stream().noneMatch(request -> request.verb().equals("patch")));
    assertNull(api.endpoints("pg-rw"));

    try (Run run =
        new Run(api)
            .with("PG_NODES", "127.0.0.1,127.0.0.2")
            .with("PGPORT", "1")
            .with("ALERT_STATE", "c")) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "WARN 127.0.0.2 is DOWN (Connection refused)",
              "ERROR no primary, nothing is written: 127.0.0.1 is DOWN (Connection refused), 127.0.0.2 is DOWN (Connection refused)"),
          run.log());
    }
  }

  /** A log line is not an alert: sinks receive a lasting condition once per ALERT_REPEAT. */
  @Test
  void runThatOnlyLogsSendsNoAlert() {
    try (Run first = events()) {
      assertEquals(1, first.once());
    }
    long events = eventsCreated();
    assertEquals(
        Set.of("postgres-endpoint-manager"),
        api.requests().stream()
            .map(request -> request.userAgent().replaceFirst("/.*", ""))
            .collect(Collectors.toSet()),
        "the field manager of ConfigMap and Events");
    assertTrue(events > 0);
    try (Run second = events()) {
      assertEquals(1, second.once());
      assertLogsItsFindingInOneLine(second.log());
    }
    assertEquals(events, eventsCreated());
  }

  private long eventsCreated() {
    return api.requests().stream().filter(r -> r.target().resource().equals("events")).count();
  }

  private Run events() {
    return new Run(api)
        .with("PG_NODES", "127.0.0.1")
        .with("PGPORT", "1")
        .with("STATE", "c")
        .with("ALERT_SINKS", "events");
  }

  @Test
  void aRunWithoutTheRightAlertsOfAll() {
    said(1);
    api.deny("get", "configmaps");
    assertSaysAllAgainAnd(
        "the Role does not grant get, patch, create on configmaps c: only this process remembers a split brain and the published line; add to the Role: ");
    assertTrue(api.requests().stream().noneMatch(request -> request.verb().equals("patch")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\"",
        "\"hello\"",
        "null",
        "{}",
        "[]",
        "{\"signature\":null}",
        "{\"signature\":\"\",\"states\":{\"127.0.0.1\":null},\"lasting\":{},\"troubles\":{},\"leftOut\":{},\"degradations\":[]}",
        "{\"signature\":\"\",\"states\":{},\"lasting\":{\"a\":null},\"troubles\":{},\"leftOut\":{},\"degradations\":[]}",
        "{\"signature\":\"\",\"states\":{},\"lasting\":{\"a\":{\"kind\":\"NoPrimary\",\"subject\":\"\",\"message\":\"\",\"provenBy\":\"ASKED\",\"since\":\"2026-11-24T09:00:00Z\",\"said\":\"+1000000000-12-31T23:59:59Z\"}},\"troubles\":{},\"leftOut\":{},\"degradations\":[]}"
      })
  void aRunSurvivesWhatNoRunWrote(String json) {
    api.put(
        new ConfigMapBuilder()
            .withNewMetadata()
            .withName("c")
            .withNamespace("db")
            .endMetadata()
            .addToData(
                "pg-rw",
                "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"conditions\":%s}"
                    .formatted(json))
            .build());
    assertSaysAllAgainAnd(
        "STATE has unreadable conditions (not what an earlier run left); this run alerts as if it were the first");
    assertLogsItsFindingInOneLine(said(1));
  }

  @Test
  void aRunThatCannotWriteEndsAsAnyOther() {
    api.fail(9, 500, "POST", "configmaps");
    assertSaysAllAgainAnd("STATE cannot be written; the next run may repeat these alerts:");
    api.heal();
    said(1);
    api.put(new ConfigMapBuilder(map()).withData(null).addToData("of", "somebody else").build());
    api.beforeNext(
        "PATCH",
        "configmaps",
        () ->
            api.put(
                new ConfigMapBuilder(map())
                    .addToData("of", "yet another")
                    .addToData("pg-rw", EMPTY)
                    .build()));
    assertSaysAllAgainAnd("STATE cannot be written; the next run may repeat these alerts:");
    assertEquals(EMPTY, map().getData().get("pg-rw"));
    assertEquals(BEGINNING, said(1));
    assertNotEquals(EMPTY, map().getData().get("pg-rw"));
    assertEquals("yet another", map().getData().get("of"));
  }

  private static void until(Callable<Boolean> condition) {
    await().atMost(Duration.ofSeconds(60)).until(condition);
  }

  @Test
  void aManagerGoesOnFromWhatItReadsLate() {
    said(1);
    api.fail(1000, 500, "GET", "configmaps");
    try (Run run =
        new Run(api)
            .with("PG_NODES", "127.0.0.1")
            .with("PGPORT", "1")
            .with("PROBE_INTERVAL", "200ms")
            .with("STATE", "c")
            .start(Mode.CONTINUOUS)) {
      until(() -> !run.logged("ERROR unreadable state").isEmpty());
      api.heal();
      until(() -> !run.logged("over: unreadable state").isEmpty());
      until(() -> !run.logged(AGAIN).isEmpty());

      assertEquals(List.of(), run.log().stream().filter(BEGINNING::contains).toList());
    }
    assertLogsItsFindingInOneLine(said(1));
  }

  @Test
  void aRunWithoutTheApiEndsAsAnyOther() {
    api.stop();
    List<String> said = said(3);
    assertEquals(1, said.size(), said.toString());
  }

  private ConfigMap map() {
    return api.get(ConfigMap.class, "db", "c");
  }
}
