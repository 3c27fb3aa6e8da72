package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import io.github.pgendpoints.topology.Report.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The labels of an alert in Alertmanager, by which it routes the alert. */
class AlertFormatsTest {
  private static final Instant NOW = Instant.parse("2026-11-28T05:06:07Z");

  private final AlertFormats formats = new AlertFormats(null, Duration.ofHours(1));

  private Map<?, ?> labels(Kind kind, String subject) {
    Alert alert =
        new Alert(
            kind,
            Severity.ERROR,
            Phase.BEGAN,
            null,
            subject,
            "key",
            "message",
            new Alert.Cluster("db", "pg-rw", "pg-ro"),
            null,
            null,
            List.of(),
            NOW,
            NOW);
    return (Map<?, ?>) formats.alertmanager(alert).get(0).get("labels");
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"REFUSED", "LINE_UNPROVEN"})
  void aReportIsAsSevereAsInTheLog(Topic topic) {
    assertEquals(
        topic.isError() ? "critical" : "warning", labels(Kind.of(topic), "db1").get("severity"));
  }

  @Test
  void subjectHasALabelForItsKind() {
    assertEquals("db1", labels(Kind.NODE_DOWN, "db1").get("node"));
    assertEquals(
        Map.of(
            "alertname", "PostgresMismatch",
            "namespace", "db",
            "service", "pg-ro",
            "severity", "warning"),
        labels(Kind.MISMATCH, "pg-ro"));
    assertEquals("critical", labels(Kind.MISMATCH, "pg-rw").get("severity"));
    assertEquals("pg-ro", labels(Kind.WRITTEN, "pg-ro").get("service"));
    assertEquals("night", labels(Kind.RULE, "night").get("rule"));
    assertEquals(
        Map.of(
            "alertname", "PostgresNoPrimary",
            "namespace", "db",
            "service", "pg-rw",
            "severity", "critical"),
        labels(Kind.NO_PRIMARY, ""));
  }
}
