package io.github.pgendpoints.alert;

import static io.github.pgendpoints.alert.Alert.Kind.DEGRADED;
import static io.github.pgendpoints.alert.Alert.Kind.LEFT_BEHIND;
import static io.github.pgendpoints.alert.Alert.Kind.NO_PRIMARY;
import static io.github.pgendpoints.topology.Nodes.CLUSTER;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.Protection;
import io.github.pgendpoints.topology.Quorum;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.ReadOnlyRules;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Servers;
import io.github.pgendpoints.topology.StandbyClass;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.UnreadValue;
import io.github.pgendpoints.topology.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConditionsTest {
  private Instant now = Instant.parse("2026-11-24T09:00:00Z");
  private final Conditions conditions =
      TestConditions.create(
          new Clock() {
            @Override
            public Instant instant() {
              return now;
            }

            @Override
            public ZoneId getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
              return this;
            }
          });

  /** Keeps missing database rights out of the alerts: most tests are not about them. */
  @BeforeEach
  void suppressMissingRights() {
    conditions.restore(
        new ConditionsSnapshot(
            "", null, Map.of(), Map.of(), Map.of(), Map.of(), Set.of("pg_monitor", "history")));
  }

  @Test
  void reportsAnUnchangedTopologyOnce() {
    assertEquals(
        List.of("INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
    assertEquals(List.of(), verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void reportsWhatANodeBecame() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));

    assertEquals(
        List.of(
            "WARN 10.0.0.2 is DOWN (Connection refused), was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:"),
        verified(primary("10.0.0.1", 1), down("10.0.0.2")));
    assertEquals(
        List.of("WARN 10.0.0.2 is UNKNOWN (FATAL: out of memory), was DOWN"),
        verified(primary("10.0.0.1", 1), unknown("10.0.0.2")));
    assertEquals(
        List.of(
            "INFO 10.0.0.2 is STANDBY, was UNKNOWN",
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  /** A replica that leads again reports like one that leads for the first time. */
  @Test
  void comparesNothingWithWhatItHasForgotten() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"), down("10.0.0.3"));
    conditions.forget();

    assertEquals(
        List.of(
            "WARN 10.0.0.2 is DOWN (Connection refused)",
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.3"),
        verified(primary("10.0.0.1", 1), down("10.0.0.2"), standby("10.0.0.3")));
  }

  /** If a thousand nodes fail at once, each of the thousand alerts lists all nodes. */
  @Test
  void theAlertsOfACycleShareTheirNodes() {
    List<Alert> alerts = whole(primary("10.0.0.1", 1), down("10.0.0.2"), down("10.0.0.3"));
    assertEquals(3, alerts.get(0).nodes().size());
    alerts.forEach(alert -> assertSame(alerts.get(0).nodes(), alert.nodes()));
    assertTrue(alerts.size() > 1, alerts::toString);
  }

  @Test
  void namesEveryPrimaryOfASplitBrain() {
    Topology split = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2), standby("10.0.0.3"));
    decided(split, "nothing is written");

    assertEquals(
        List.of(
            "ERROR multiple primaries, nothing is written: 10.0.0.1 at 10.0.0.1 (first, system"
                + " identifier 7000000000000000001, timeline 1, LSN 0/3000060), 10.0.0.2 at"
                + " 10.0.0.2 (first, system identifier 7000000000000000001, timeline 2, LSN"
                + " 0/3000060); to accept one of them: postgres-endpoint-manager overrule ENTRY"),
        news());
    decided(split, "nothing is written");
    assertEquals(List.of(), news());
  }

  @Test
  void namesEveryNodeWhenThereIsNoPrimary() {
    Topology none = topology(down("10.0.0.1"), standby("10.0.0.2"), unknown("10.0.0.3"));
    noPrimary(none);

    assertEquals(
        List.of(
            "ERROR no primary, nothing is written: 10.0.0.1 is DOWN (Connection refused),"
                + " 10.0.0.2 is STANDBY, 10.0.0.3 is UNKNOWN (FATAL: out of memory)"),
        errors());
  }

  @Test
  void doesNotRepeatARefusalWhoseReasonsVary() {
    noPrimary(topology(NodeState.down(down("db1").node(), null, Failure.OTHER, "refused")));
    news();
    noPrimary(topology(NodeState.down(down("db1").node(), null, Failure.OTHER, "timed out")));

    assertEquals(List.of(), news());
  }

  @Test
  void reportsARefusalAgainForOtherNodes() {
    noPrimary(topology(down("10.0.0.1"), standby("10.0.0.2")));
    news();
    noPrimary(topology(down("10.0.0.1"), down("10.0.0.2")));

    assertEquals(1, errors().size());
  }

  @Test
  void namesAForeignNodeOnceWhileItLasts() {
    Topology topology =
        topology(primary("10.0.0.1", 1), standby("10.0.0.2", foreign("10.0.0.2")))
            .identifiedBy(published(1, "10.0.0.1"));
    conditions.reportNodes(topology);

    assertEquals(
        List.of(
            "ERROR foreign node 10.0.0.2 at 10.0.0.2 is a standby of system identifier"
                + " 7000000000000000009, not 7000000000000000001: it is put behind neither"
                + " Service"),
        news());
    conditions.reportNodes(topology);
    assertEquals(List.of(), news());
  }

  @Test
  void reportsOnceWhichProtectionIsOff() {
    UnreadValue notGranted =
        new UnreadValue(
            UnreadValue.NOT_GRANTED, List.of("EXECUTE ON FUNCTION pg_catalog.pg_control_system()"));
    NodeState primary =
        primary(
            "10.0.0.1",
            Servers.notTelling(
                Map.of(
                    Protection.FOREIGN_NODES,
                    notGranted,
                    Protection.STALE_PRIMARY,
                    new UnreadValue("ERROR: no", List.of())),
                new Server(null, 10L, null, Lsn.of("0/1"), false)));
    conditions.reportNodes(topology(primary));

    assertEquals(
        List.of(
            "WARN the recognition of foreign nodes is off on 10.0.0.1: EXECUTE ON FUNCTION"
                + " pg_catalog.pg_control_system() is not granted to our role; GRANT EXECUTE ON"
                + " FUNCTION pg_catalog.pg_control_system() TO repmgr",
            "WARN the comparison of timelines is off on 10.0.0.1: the server answers 'ERROR: no'"),
        news());
    conditions.reportNodes(topology(primary));
    assertEquals(List.of(), news());
  }

  @Test
  void reportsAStandbyThatLeavesAndRejoinsReadOnly() {
    Topology topology = topology(primary("10.0.0.1", 1), standby("10.0.0.2"));
    conditions.reportNodes(topology);
    conditions.reportVerdict(
        Nodes.verified(
            topology,
            new ReadOnly(List.of(), null, Map.of(standby("10.0.0.2").node(), "9 bytes behind"))),
        "");
    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "WARN standby 10.0.0.2 is not read from: 9 bytes behind"),
        news());
    conditions.reportNodes(topology);
    conditions.reportVerdict(
        Nodes.verified(
            topology,
            new ReadOnly(List.of(), null, Map.of(standby("10.0.0.2").node(), "8 bytes behind"))),
        "");
    assertEquals(List.of(), news());
    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2",
            "INFO standby 10.0.0.2 is read from"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void reportsOnceThatItIsPaused() {
    conditions.reportPause("PAUSED");
    assertEquals(List.of("WARN paused by PAUSED: nothing is written"), news());
    conditions.reportPause("PAUSED");
    assertEquals(List.of(), news());
    conditions.recordPublished(nothingPublished());
    assertEquals(List.of("INFO over: paused by PAUSED"), news());
  }

  @Test
  void isNotBrokenByForeignText() {
    conditions.reportPublishFailure(
        new FailureMessage("a\nb\u001b[31m\u202e" + "x".repeat(9000), ""));

    String said = news().get(0);
    assertTrue(said.startsWith("ERROR a b [31m xxx"), said.substring(0, 40));
    assertTrue(said.length() < 4100, said.length() + " characters");
  }

  @Test
  void foreignTextKeepsLastingConditionIntact() {
    conditions.reportPublishFailure(
        new FailureMessage("a\nb\u001b[31m\u202e" + "x".repeat(9000), ""));
    conditions.endCycle();

    String lasts = conditions.openMessages().get(0);
    assertTrue(lasts.startsWith("a b [31m xxx"), lasts.substring(0, 40));
    assertTrue(lasts.length() < 4100, lasts.length() + " characters");
  }

  @Test
  void doesNotRepeatAFailureOfWhichOnlyTheDetailsVary() {
    conditions.reportPublishFailure(new FailureMessage("API refused", "patch Endpoints", "at 1"));
    assertEquals(List.of("ERROR API refused: at 1"), news());
    conditions.reportPublishFailure(new FailureMessage("API refused", "patch Endpoints", "at 2"));
    assertEquals(List.of(), news());
    now = now.plusSeconds(3600);
    conditions.reportPublishFailure(new FailureMessage("API refused", "patch Endpoints", "at 3"));
    assertEquals(List.of("ERROR API refused: at 3; since 2026-11-24T09:00:00Z"), news());
  }

  @ParameterizedTest
  @CsvSource({"API refused (403), Endpoints pg-rw", "API refused (500), Endpoints pg-ro"})
  void reportsADifferentFailureAgain(String headline, String object) {
    conditions.reportPublishFailure(
        new FailureMessage("API refused (500)", "Endpoints pg-rw", "no"));
    news();
    conditions.reportPublishFailure(new FailureMessage(headline, object, "no"));
    assertEquals(List.of("ERROR " + headline + ": no"), news());
  }

  @Test
  void logsAnErrorOfTheProgramOnceAcrossCycles() {
    conditions.reportCycleFailure(wrapped("4F535DC9AB6C75A-0000000000000002", "x"));
    assertEquals(
        List.of(
            "ERROR cycle failed: java.lang.IllegalStateException: x"
                + " (java.lang.RuntimeException: on Exchange[4F535DC9AB6C75A-0000000000000002])"),
        news());
    conditions.reportCycleFailure(wrapped("4F535DC9AB6C75A-0000000000000003", "y"));
    assertEquals(List.of(), news());
    conditions.reportCycleFailure(new IllegalStateException("thrown elsewhere"));
    assertEquals(1, news().size());
    conditions.reportCycleFailure(wrapped("4F535DC9AB6C75A-0000000000000004", "x"));
    assertEquals(1, news().size());
  }

  private static Throwable wrapped(String exchange, String cause) {
    return new RuntimeException("on Exchange[" + exchange + "]", new IllegalStateException(cause));
  }

  @Test
  void reportsTheEnd() {
    conditions.reportPublishFailure(
        new FailureMessage("the Kubernetes API at h:1 refused the request (403)", "why"));
    noPrimary(topology(standby("10.0.0.1")));
    news();

    assertEquals(
        List.of(
            "INFO 10.0.0.1 is PRIMARY, was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "INFO over: the Kubernetes API at h:1 refused the request (403)",
            "INFO over: no primary"),
        verified(primary("10.0.0.1", 2)));
  }

  @Test
  void keepsConditionIfCycleCannotCheckIt() {
    Topology none = topology(standby("10.0.0.1"));
    conditions.reportNodes(none);
    noPrimary(none);
    news();
    conditions.reportPublishFailure(
        new FailureMessage("the Kubernetes API at h:1 cannot be reached", "why"));

    assertEquals(List.of("ERROR the Kubernetes API at h:1 cannot be reached: why"), news());
    conditions.reportNodes(none);
    noPrimary(none);
    assertEquals(List.of("INFO over: the Kubernetes API at h:1 cannot be reached"), news());
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is PRIMARY, was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "INFO over: no primary"),
        verified(primary("10.0.0.1", 2)));
  }

  @Test
  void failedWriteEndsOnlyAfterASuccess() {
    Topology good = topology(primary("10.0.0.1", 2));
    Topology none = topology(standby("10.0.0.1"));
    conditions.recordPublished(nothingPublished());
    conditions.reportNodes(good);
    conditions.reportPublishFailure(
        new FailureMessage("the Kubernetes API at h:1 refused the request (403)", "why"));
    news();

    conditions.recordPublished(nothingPublished());
    conditions.reportNodes(none);
    noPrimary(none);
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is STANDBY, was PRIMARY",
            "ERROR no primary, nothing is written: 10.0.0.1 is STANDBY"),
        news());

    conditions.recordPublished(nothingPublished());
    conditions.reportNodes(good);
    conditions.recordPublication();
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is PRIMARY, was STANDBY",
            "INFO over: no primary",
            "INFO over: the Kubernetes API at h:1 refused the request (403)"),
        news());
  }

  @Test
  void anotherProcessGoesOnFromWhatItRemembers() {
    conditions.reportDegradation("odd");
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));
    conditions.reportNodes(topology(standby("10.0.0.1"), down("10.0.0.2")));
    noPrimary(topology(standby("10.0.0.1"), down("10.0.0.2")));
    news();

    Conditions next = TestConditions.create();
    next.reportDegradation("odd");
    next.restore(ConditionsSnapshot.of(conditions.snapshot().json()));
    Topology good = topology(primary("10.0.0.1", 2), standby("10.0.0.2"));
    next.reportNodes(good);
    next.reportVerdict(Nodes.everyStandby(good), "");
    assertEquals(
        List.of(
            "10.0.0.1 is PRIMARY, was STANDBY",
            "10.0.0.2 is STANDBY, was DOWN",
            "topology verified: primary:10.0.0.1;standbys:10.0.0.2",
            "over: no primary"),
        next.endCycle().stream().map(Alert::message).toList());
  }

  @Test
  void goesOnFromWhatAnEarlierVersionStored() {
    conditions.restore(
        ConditionsSnapshot.of(
            """
            {"signature": "",
             "states": {"10.0.0.1": "DOWN", "10.0.0.2": "STANDBY"},
             "lasting": {
               "NoPrimary  10.0.0.1=DOWN,10.0.0.2=STANDBYno primarynothing is written": {
                 "kind": "NoPrimary", "subject": "", "provenBy": "ASKED",
                 "message": "no primary, nothing is written: 10.0.0.1 is DOWN (Connection refused)",
                 "since": "2026-11-24T08:59:00Z", "said": "2026-11-24T08:59:00Z"}},
             "troubles": {
               "10.0.0.1": {
                 "kind": "NodeDown", "subject": "10.0.0.1", "provenBy": "ASKED",
                 "message": "10.0.0.1 is DOWN (Connection refused)",
                 "since": "2026-11-24T08:59:00Z", "said": "2026-11-24T08:59:00Z"}},
             "leftOut": {},
             "degradations": []}
            """));
    noPrimary(topology(down("10.0.0.1"), standby("10.0.0.2")));
    assertEquals(List.of(), news());
    List<Alert> over = whole(primary("10.0.0.1", 1), standby("10.0.0.2"));
    assertEquals(Alert.Kind.NODE_DOWN, over.get(0).ends());
    assertEquals("over: NoPrimary", over.get(over.size() - 1).message());
  }

  @Test
  void reportsASplitBrainAgainWhenItsOutcomeChanges() {
    Topology split = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2));
    decided(split, "pg-rw could not be emptied");
    news();
    conditions.reportNodes(split);
    decided(split, "pg-rw is emptied");
    Alert emptied = conditions.endCycle().get(0);
    assertTrue(
        emptied.message().startsWith("multiple primaries, pg-rw is emptied: "), emptied.message());
    assertEquals(Alert.Phase.LASTS, emptied.phase());
    conditions.reportNodes(topology(primary("10.0.0.1", 1)));
    assertTrue(news().contains("INFO over: multiple primaries"));
  }

  @Test
  void repeatsWhatLastsWithTheSameKey() {
    noPrimary(topology(down("10.0.0.1")));
    Alert begun = noPrimary();
    now = now.plusSeconds(3599);
    noPrimary(topology(down("10.0.0.1")));
    assertEquals(List.of(), news());
    now = now.plusSeconds(1);
    noPrimary(topology(down("10.0.0.1")));
    Alert lasts = noPrimary();
    conditions.reportNodes(topology(primary("10.0.0.1", 1)));
    Alert over = noPrimary();

    assertEquals(
        List.of(Alert.Phase.BEGAN, Alert.Phase.LASTS, Alert.Phase.OVER),
        List.of(begun.phase(), lasts.phase(), over.phase()));
    assertEquals("db/pg-rw/NoPrimary", begun.key());
    assertEquals(begun.key(), lasts.key());
    assertEquals(begun.key(), over.key());
    assertEquals(begun.since(), lasts.since());
    assertTrue(lasts.message().endsWith("; since 2026-11-24T09:00:00Z"), lasts.message());
  }

  @Test
  void repeatsANodeThatStaysDownAndEndsItUnderItsKey() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));
    Alert lost = whole(primary("10.0.0.1", 1), down("10.0.0.2")).get(0);
    now = now.plusSeconds(3600);
    Alert lasts = whole(primary("10.0.0.1", 1), down("10.0.0.2")).get(0);
    Alert unknown = whole(primary("10.0.0.1", 1), unknown("10.0.0.2")).get(0);
    Alert back = whole(primary("10.0.0.1", 1), standby("10.0.0.2")).get(0);

    assertEquals(Alert.Kind.STANDBY_LOST, lost.kind());
    assertEquals(Alert.Phase.LASTS, lasts.phase());
    assertEquals(lost.key(), lasts.key());
    assertEquals(Alert.Kind.NODE_UNKNOWN, unknown.kind());
    assertEquals(Alert.Kind.STANDBY_LOST, unknown.ends());
    assertEquals(Alert.Kind.STANDBY_BACK, back.kind());
    assertEquals(unknown.key(), back.key());
  }

  @Test
  void keepsConditionThatCouldNotBeChecked() {
    conditions.recordPublished(nothingPublished());
    conditions.reportPause("PAUSED");
    conditions.reportNodes(topology(standby("10.0.0.1")));
    noPrimary(topology(standby("10.0.0.1")));
    news();
    conditions.reportPublishFailure(
        new FailureMessage("the Kubernetes API at h:1 refused the request (403)", "why"));

    assertEquals(List.of("ERROR the Kubernetes API at h:1 refused the request (403): why"), news());
  }

  @Test
  void reportsOldAndNewAddressesAndPrimary() {
    conditions.recordPublished(published(1, "10.0.0.1", Set.of("10.0.0.2:5432")));
    Alert changed = whole(primary("10.0.0.2", 2), standby("10.0.0.1")).get(0);

    assertEquals(Alert.Kind.PRIMARY_CHANGED, changed.kind());
    assertEquals("primary:10.0.0.1;standbys:10.0.0.2", changed.before());
    assertEquals("primary:10.0.0.2;standbys:10.0.0.1", changed.after());
    assertEquals("STANDBY", changed.nodes().get(1).state());
  }

  /** A leader may die after its write and before its alert: STATE then lacks the new primary. */
  @Test
  void reportsAPrimaryThatAnotherProcessDidNotReport() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));
    noPrimary(topology(down("10.0.0.1"), standby("10.0.0.2")));
    news();
    String kept = conditions.snapshot().json();

    Alert changed = afterTakingOver(kept);

    assertEquals(Alert.Kind.PRIMARY_CHANGED, changed.kind());
    assertEquals("primary:10.0.0.1;standbys:10.0.0.2", changed.before());
    assertEquals("primary:10.0.0.2;standbys:10.0.0.1", changed.after());
  }

  @Test
  void doesNotRepeatPrimaryReportedByOtherProcess() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));
    verified(primary("10.0.0.2", 2), standby("10.0.0.1"));
    noPrimary(topology(down("10.0.0.2"), standby("10.0.0.1")));
    news();

    Alert verified = afterTakingOver(conditions.snapshot().json());

    assertEquals(Alert.Kind.TOPOLOGY_VERIFIED, verified.kind());
  }

  /** Returns what the next leader reports about a topology that is already published. */
  private static Alert afterTakingOver(String kept) {
    Conditions next = TestConditions.create();
    next.forget();
    next.restore(ConditionsSnapshot.of(kept));
    next.recordPublished(published(2, "10.0.0.2", Set.of("10.0.0.1:5432")));
    Topology found = topology(primary("10.0.0.2", 2), standby("10.0.0.1"));
    next.reportNodes(found);
    next.reportVerdict(Nodes.everyStandby(found), "");
    return next.endCycle().stream()
        .filter(alert -> alert.message().startsWith("topology verified: "))
        .findFirst()
        .orElseThrow();
  }

  private Alert noPrimary() {
    return conditions.endCycle().stream()
        .filter(alert -> alert.kind() == NO_PRIMARY || alert.ends() == NO_PRIMARY)
        .findFirst()
        .orElseThrow();
  }

  private List<String> errors() {
    return news().stream().filter(line -> line.startsWith("ERROR ")).toList();
  }

  private void noPrimary(Topology topology) {
    decided(topology, "nothing is written");
  }

  private void decided(Topology topology, String outcome) {
    conditions.reportNodes(topology);
    conditions.reportVerdict(Nodes.verdict(topology, nothingPublished()), outcome);
  }

  @Test
  void reportsMissingRightOnceWithSqlAndNodes() {
    Conditions fresh = TestConditions.create();
    fresh.reportNodes(topology(primary("10.0.0.1", 1), standby("10.0.0.2")));
    assertEquals(
        List.of(
            "WARN pg_monitor is not granted to our role on 10.0.0.1, 10.0.0.2: the program"
                + " cannot determine which primary a standby streams from, nor always its timeline;"
                + " GRANT pg_monitor TO repmgr",
            "WARN timeline histories are not granted to our role on 10.0.0.1, 10.0.0.2: a fork with"
                + " a higher timeline is treated as a promotion, and a standby that left the line"
                + " may stay in the read-only Service; ALTER ROLE repmgr REPLICATION, or in database repmgr"
                + " create the function pgendpoints_history of docs/rules.md, or GRANT EXECUTE ON"
                + " FUNCTION pg_catalog.pg_read_file(text, bigint, bigint, boolean) TO repmgr"),
        fresh.endCycle().stream().map(alert -> alert.severity() + " " + alert.message()).toList());
    fresh.reportNodes(topology(primary("10.0.0.1", 1), standby("10.0.0.2"), standby("10.0.0.3")));
    assertEquals(
        List.of(), fresh.endCycle().stream().filter(alert -> alert.kind() == DEGRADED).toList());
  }

  @Test
  void reportsNoRightThatIsGranted() {
    Set<Right> all = Set.of(Right.MONITOR, Right.HISTORY);
    assertEquals(
        Map.of(),
        new MissingRights("repmgr", "repmgr")
            .in(topology(primary("a", Servers.granting(all, primary("a", 1).server())))));
  }

  @Test
  void writesTheNameOfTheRoleAsSqlWantsIt() {
    String sentence =
        new MissingRights("My \"role\" %s", "repmgr")
            .in(topology(primary("a", 1)))
            .get("pg_monitor");
    assertTrue(sentence.endsWith("GRANT pg_monitor TO \"My \"\"role\"\" %s\""), sentence);
  }

  @Test
  void reportsAStandbyThatStaysUndetermined() {
    Set<Right> all = Set.of(Right.MONITOR, Right.HISTORY);
    Server leader = Servers.granting(all, new Server(CLUSTER, 1L, 3L, Lsn.of("0/9"), false));
    NodeState primary =
        primary("10.0.0.1", leader.with(HistoryAnswer.failed("the file is absent")));
    NodeState standby =
        standby(
            "10.0.0.2", Servers.granting(all, new Server(CLUSTER, 2L, 2L, Lsn.of("0/8"), true)));
    Topology topology = topology(primary, standby);
    Verdict verdict = Nodes.verdict(topology, published(3, "10.0.0.1", Set.of("10.0.0.2:5432")));
    assertEquals(StandbyClass.UNDETERMINED, verdict.standbys().get(standby.node()));
    for (int second = 0; second < 30; second++) {
      conditions.reportNodes(topology);
      conditions.reportVerdict(verdict, "");
      assertTrue(news().stream().noneMatch(line -> line.startsWith("WARN standby")));
      now = now.plusSeconds(1);
    }
    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
    assertEquals(
        List.of(
            "WARN standby 10.0.0.2 cannot be placed on the primary's line, so only its position is"
                + " compared: the history of the timeline of 10.0.0.1 could not be read (the file"
                + " is absent)"),
        news());
    now = now.plusSeconds(31);
    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
    assertEquals(List.of(), news());
  }

  @Test
  void reportsDeadBranchDuringNormalCycles() {
    Topology topology = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2));
    Verdict verdict = Nodes.verdict(topology, published(2, "10.0.0.2"));
    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
    Alert dead =
        conditions.endCycle().stream()
            .filter(alert -> alert.severity() == Alert.Severity.ERROR)
            .findFirst()
            .orElseThrow();

    assertTrue(verdict.isVerified());
    assertEquals(Alert.Kind.MULTIPLE_PRIMARIES, dead.kind());
    assertEquals("10.0.0.1", dead.subject());
    assertEquals("db/pg-rw/MultiplePrimaries/10.0.0.1", dead.key());
    assertTrue(
        dead.message()
            .startsWith("multiple primaries: 10.0.0.1 at 10.0.0.1 accepts writes on timeline 1, "),
        dead.message());
    assertTrue(dead.message().endsWith("; fence it"), dead.message());
    assertTrue(
        verified(down("10.0.0.1"), primary("10.0.0.2", 2))
            .contains("INFO over: multiple primaries: 10.0.0.1"));
  }

  @Test
  void reportsWalThatWasLeftBehindOnce() {
    Set<Right> all = Set.of(Right.HISTORY);
    NodeState primary =
        primary(
            "10.0.0.2",
            Servers.granting(all, new Server(CLUSTER, 2L, 2L, Lsn.of("0/6000000"), false))
                .with(HistoryAnswer.read(History.of(2, "1\t0/5000000\tno recovery target\n"))));
    NodeState standby = standby("10.0.0.3", new Server(CLUSTER, 3L, 1L, Lsn.of("0/5000060"), true));
    Topology topology = topology(down("10.0.0.1"), primary, standby);
    Verdict verdict = Nodes.verdict(topology, published(1, "10.0.0.1"));
    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
    List<Alert> left =
        conditions.endCycle().stream().filter(alert -> alert.kind() == LEFT_BEHIND).toList();
    assertEquals(1, left.size());
    assertEquals(Alert.Phase.HAPPENED, left.get(0).phase());
    assertEquals(
        "WAL left behind: standby 10.0.0.3 at 10.0.0.3 has 96 bytes of timeline 1 that the new"
            + " primary 10.0.0.2 at 10.0.0.2 lacks",
        left.get(0).message());

    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
    assertEquals(List.of(), news(), "the write failed, so that it is decided again");
    conditions.reportNodes(topology);
    conditions.reportVerdict(Nodes.verdict(topology, published(2, "10.0.0.2")), "");
    assertTrue(news().stream().noneMatch(line -> line.contains("left behind")));
  }

  @Test
  void pendingReportKeepsConditionOpen() {
    Topology topology = topology(primary("10.0.0.1", 1), cutOff("10.0.0.2"));
    LastPublished published = published(1, "10.0.0.1", Set.of("10.0.0.2:5432"));
    Decision.Outcome first = decide(topology, published, Memory.empty(StandbyHysteresis.none()));
    Topology later = new Topology(topology.nodes(), topology.at().plusSeconds(300));
    Decision.Outcome second = decide(later, published, first.memory());
    report(topology, first.verdict());
    assertTrue(news().stream().noneMatch(line -> line.contains("no WAL receiver")));
    report(later, second.verdict());
    Alert begun = conditions.endCycle().get(0);
    assertEquals(Alert.Kind.NO_RECEIVER, begun.kind());
    assertEquals(Alert.Severity.WARN, begun.severity());
    assertEquals("db/pg-rw/NoWalReceiver/10.0.0.2", begun.key());
    report(topology, first.verdict());
    assertEquals(List.of(), news(), "a new term of leadership");
    report(later, second.verdict());
    assertEquals(List.of(), news());
    now = now.plusSeconds(3600);
    report(topology, first.verdict());
    assertEquals(Alert.Phase.LASTS, conditions.endCycle().get(0).phase());
    assertEquals(
        List.of("INFO over: no WAL receiver: 10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  private static NodeState cutOff(String host) {
    return standby(host, new Server(CLUSTER, 2L, null, Lsn.of("0/3000000"), false));
  }

  private static Decision.Outcome decide(
      Topology topology, LastPublished published, Memory memory) {
    return Decision.decide(
        published,
        memory,
        topology,
        new DecisionSettings(
            new Quorum(1), new ReadOnlyRules(null, false, false), Duration.ofMinutes(10)));
  }

  private void report(Topology topology, Verdict verdict) {
    conditions.reportNodes(topology);
    conditions.reportVerdict(verdict, "");
  }

  @Test
  void limitsAlertsOfAFlappingNode() {
    NodeState primary = primary("10.0.0.1", 1);
    int told = 0;
    for (int tick = 0; tick < 2 * 3600; tick++) {
      told += verified(primary, tick % 2 == 0 ? standby("10.0.0.2") : down("10.0.0.2")).size();
      conditions.reportWrite(
          "pg-ro", "pg-ro now has " + (tick % 2 == 0 ? "10.0.0.2" : "no address"));
      now = now.plusSeconds(1);
    }
    // Three topics (the node, the topology, the writes): six alerts each, then one an hour.
    assertTrue(told <= 3 * (6 + 2), told + " alerts in 2 hours");
  }

  @Test
  void reportsWhenAFlappingNodeHasSettled() {
    for (int tick = 0; tick < 101; tick++) {
      verified(primary("10.0.0.1", 1), tick % 2 == 0 ? standby("10.0.0.2") : down("10.0.0.2"));
      now = now.plusSeconds(1);
    }
    now = now.plusSeconds(599);
    assertEquals(
        List.of(
            "INFO 10.0.0.2 is STANDBY, was DOWN; quiet for 10 minutes after 100 changes since"
                + " 2026-11-24T09:00:01Z",
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2; quiet for 10 minutes after"
                + " 101 changes since 2026-11-24T09:00:00Z"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")).stream().sorted().toList());
    assertEquals(
        1,
        verified(primary("10.0.0.1", 1), down("10.0.0.2")).stream()
            .filter(line -> line.startsWith("WARN 10.0.0.2 is DOWN"))
            .count());
  }

  @Test
  void swallowsNeitherANewPrimaryNorANewError() {
    for (int tick = 0; tick < 50; tick++) {
      verified(primary("10.0.0.1", 1), tick % 2 == 0 ? standby("10.0.0.2") : down("10.0.0.2"));
      noPrimary(topology(down("10.0.0.1"), down("10.0.0.2")));
      news();
      now = now.plusMillis(500);
    }
    List<String> split = new ArrayList<>();
    decided(topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2)), "nothing is written");
    split.addAll(news());
    assertTrue(
        split.stream()
            .anyMatch(line -> line.startsWith("WARN 10.0.0.2 is PRIMARY, was DOWN; flapping: ")),
        split::toString);
    assertTrue(
        split.stream().anyMatch(line -> line.startsWith("ERROR multiple primaries, ")),
        split::toString);
    for (int change = 0; change < 20; change++) {
      Alert told =
          whole(primary(change % 2 == 0 ? "10.0.0.2" : "10.0.0.1", change + 3)).stream()
              .filter(alert -> alert.kind() == Alert.Kind.PRIMARY_CHANGED)
              .findFirst()
              .orElseThrow();
      assertEquals(Alert.Severity.INFO, told.severity());
    }
  }

  private List<Alert> whole(NodeState... states) {
    Topology topology = topology(states);
    conditions.reportNodes(topology);
    conditions.reportVerdict(
        Nodes.verified(topology, new ReadOnly(topology.standbys(), null, Map.of())), "");
    return conditions.endCycle();
  }

  private List<String> verified(NodeState... states) {
    Topology topology = topology(states);
    conditions.reportNodes(topology);
    conditions.reportVerdict(
        Nodes.verified(topology, new ReadOnly(topology.standbys(), null, Map.of())), "");
    return news();
  }

  private List<String> news() {
    return conditions.endCycle().stream()
        .map(alert -> alert.severity() + " " + alert.message())
        .toList();
  }
}
