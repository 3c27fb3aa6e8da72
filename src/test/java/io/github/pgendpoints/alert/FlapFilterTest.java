package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FlapFilterTest {
  private static final Instant BEGIN = Instant.parse("2026-11-24T09:00:00Z");

  private final FlapFilter flapping = new FlapFilter(Duration.ofHours(1));
  private Instant now = BEGIN;

  @Test
  void letsPassWhatChangesNowAndThen() {
    for (int change = 0; change < 100; change++) {
      assertEquals(1, told(change % 2 == 0 ? down() : up()).size(), "change " + change);
      now = now.plusSeconds(100);
    }
  }

  @Test
  void reportsFlappingOnceThenHourlyThenItsEnd() {
    List<String> told = new ArrayList<>();
    for (int change = 0; change < 10 * 3600 * 2 + 1; change++) {
      told(change % 2 == 0 ? down() : up()).forEach(draft -> told.add(draft.message()));
      now = now.plusMillis(100);
    }
    assertEquals(List.of("down", "up", "down", "up", "down", "up"), told.subList(0, 6));
    assertEquals("down; flapping: 7 changes since 2026-11-24T09:00:00Z", told.get(6));
    assertEquals("down; flapping: 36007 changes since 2026-11-24T09:00:00Z", told.get(7));
    assertEquals(8, told.size());

    now = now.plus(FlapFilter.QUIET);
    AlertDraft end = flapping.filter(List.of(), now).get(0);
    assertEquals(
        "down; quiet for 10 minutes after 72001 changes since 2026-11-24T09:00:00Z", end.message());
    assertEquals(Phase.LASTS, end.phase());
    assertEquals(List.of(), flapping.filter(List.of(), now));
    assertEquals(List.of(up()), told(up()), "calm again");
  }

  /** For Alertmanager: the alert that fires is resolved at the end. No other fires until then. */
  @Test
  void isOneConditionThatLasts() {
    List<AlertDraft> told = new ArrayList<>();
    for (int change = 0; change < 100; change++) {
      told.addAll(told(change % 2 == 0 ? down() : up()));
    }
    now = now.plus(FlapFilter.QUIET);
    told.addAll(flapping.filter(List.of(), now));

    AlertDraft flaps = told.get(6);
    assertEquals(Phase.BEGAN, flaps.phase());
    assertEquals(Kind.STANDBY_LOST, flaps.kind());
    assertEquals(Severity.WARN, flaps.severity());
    AlertDraft end = told.get(7);
    assertEquals(Phase.OVER, end.phase());
    assertEquals(Kind.STANDBY_LOST, end.ends());
    assertEquals(Severity.INFO, end.severity());
    assertEquals(8, told.size());
  }

  @Test
  void doesNotSayThatAFlappingConditionIsOverForGood() {
    AlertDraft over =
        draft(Kind.RECOVERED, Severity.INFO, Phase.OVER, Kind.STANDBY_LOST, "over: down");
    for (int change = 0; change < 6; change++) {
      told(change % 2 == 0 ? over : down());
    }
    AlertDraft flaps = told(over).get(0);

    assertEquals(Phase.LASTS, flaps.phase());
    assertEquals(
        "currently over: down; flapping: 7 changes since 2026-11-24T09:00:00Z", flaps.message());
    now = now.plus(FlapFilter.QUIET);
    assertEquals(
        "over: down; quiet for 10 minutes after 7 changes since 2026-11-24T09:00:00Z",
        flapping.filter(List.of(), now).get(0).message());
  }

  @Test
  void endsFiringConditionWhenReplaced() {
    for (int change = 0; change < 8; change++) {
      told(change % 2 == 0 ? down() : up());
    }
    AlertDraft unknown =
        told(draft(Kind.NODE_UNKNOWN, Severity.WARN, Phase.BEGAN, null, "unknown")).get(0);

    assertEquals(Kind.NODE_UNKNOWN, unknown.kind());
    assertEquals(Kind.STANDBY_LOST, unknown.ends());
    assertEquals("unknown; flapping: 9 changes since 2026-11-24T09:00:00Z", unknown.message());
  }

  @Test
  void limitsAlertsOfManyDifferentMessages() {
    int told = 0;
    for (int change = 0; change < 10_000; change++) {
      told += told(draft(Kind.WRITTEN, Severity.INFO, Phase.HAPPENED, null, "x" + change)).size();
    }
    assertTrue(told <= 21, told + " alerts");
  }

  @Test
  void neverFiltersAlertsWithoutTopic() {
    for (int change = 0; change < 100; change++) {
      AlertDraft draft =
          new AlertDraft(
              Kind.PRIMARY_CHANGED,
              Severity.INFO,
              Phase.HAPPENED,
              null,
              "",
              "primary",
              BEGIN,
              null,
              null);
      assertEquals(List.of(draft), told(draft));
    }
  }

  private List<AlertDraft> told(AlertDraft draft) {
    return flapping.filter(List.of(draft), now);
  }

  private static AlertDraft down() {
    return draft(Kind.STANDBY_LOST, Severity.WARN, Phase.BEGAN, null, "down");
  }

  private static AlertDraft up() {
    return draft(Kind.STANDBY_BACK, Severity.INFO, Phase.OVER, Kind.STANDBY_LOST, "up");
  }

  private static AlertDraft draft(
      Kind kind, Severity severity, Phase phase, Kind ends, String message) {
    return new AlertDraft(kind, severity, phase, ends, "db2", message, BEGIN, "db2", message);
  }
}
