package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.CLUSTER;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.startedAt;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Report.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests reports of what lasts for minutes: db1 is the primary, db2 is in RO, and db3 is not. */
class TrendReportsTest {
  private static final long MIB = 1024 * 1024;
  private static final LastPublished PUBLISHED = published(1, "db1", Set.of("db2:5432"));

  private Instant at = Nodes.AT;
  private Memory memory = Memory.empty(new StandbyHysteresis(3, 3, Duration.ofSeconds(10)));
  private ReadOnlyRules rules = new ReadOnlyRules(null, false, false);

  @Test
  void reportsAStandbyThatHasHadNoReceiverForFiveMinutes() {
    cycle(primary("db1", 1), cutOff("db2"));
    assertPending(cycleAfter(299, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    Report report = only(cycleAfter(1, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    assertEquals("db2", report.subject());
    assertEquals(
        "no WAL receiver: standby db2 at db2 has received nothing from the primary db1 at db1 for 5"
            + " minutes, and is still read from; check primary_conninfo, pg_hba.conf, the network,"
            + " and whether the primary has removed WAL that the standby needs",
        report.message());
    assertTrue(
        only(cycleAfter(360, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER)
            .details()
            .contains("for 11 minutes"));
  }

  @Test
  void forgetsTheGapWhenItStreamsTwiceInARow() {
    cycle(primary("db1", 1), cutOff("db2"));
    cycleAfter(200, primary("db1", 1), standby("db2"));
    only(cycleAfter(100, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    only(cycleAfter(10, primary("db1", 1), standby("db2")), Topic.NO_RECEIVER);
    assertNone(cycleAfter(10, primary("db1", 1), standby("db2")), Topic.NO_RECEIVER);
    assertPending(cycleAfter(10, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
  }

  @Test
  void keepsTheGapWhileAProbeCannotTell() {
    cycle(primary("db1", 1), cutOff("db2"));
    cycleAfter(100, primary("db1", 1), unknown("db2"));
    cycleAfter(100, primary("db1", 1), unknown("db2"));
    cycleAfter(50, primary("db1", 1), down("db2"));
    only(cycleAfter(50, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    cycleAfter(10, primary("db1", 1), down("db2"));
    assertNone(cycleAfter(10, primary("db1", 1), down("db2")), Topic.NO_RECEIVER);
  }

  @Test
  void forgetsTheGapOfAStandbyThatWasPromoted() {
    cycle(primary("db1", 1), cutOff("db2"));
    assertNone(cycleAfter(300, down("db1"), primary("db2", 2)), Topic.NO_RECEIVER);
  }

  @Test
  void doesNotReportAGapOfAStandbyThatIsNotReadFrom() {
    rules = new ReadOnlyRules(null, true, false);
    cycle(primary("db1", 1), cutOff("db2"));
    assertNone(cycleAfter(300, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
  }

  @Test
  void reportsAGapWhileThereIsNoPrimary() {
    cycle(down("db1"), cutOff("db2"), cutOff("db3"));
    Verdict verdict = cycleAfter(300, down("db1"), cutOff("db2"), cutOff("db3"));
    assertEquals(Rule.NO_PRIMARY, verdict.rule());
    Report report = only(verdict, Topic.NO_RECEIVER);
    assertEquals("db2", report.subject(), "the one that is published");
    assertTrue(report.details().contains("from the primary db1 for 5 minutes"), report.details());
  }

  @Test
  void startsAfreshAfterATimeWithoutProbesAndInANewTerm() {
    cycle(primary("db1", 1), cutOff("db2"));
    assertPending(cycleAfter(601, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    only(cycleAfter(300, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
    memory = memory.inNewTerm(null);
    assertPending(cycleAfter(1, primary("db1", 1), cutOff("db2")), Topic.NO_RECEIVER);
  }

  @Test
  void reportsAStandbyThatStaysUnknownAndKeepsItsPlace() {
    cycle(primary("db1", 1), unknown("db2"), unknown("db3"));
    assertPending(cycleAfter(299, primary("db1", 1), unknown("db2")), Topic.UNVERIFIED);
    Report report =
        only(cycleAfter(1, primary("db1", 1), unknown("db2"), unknown("db3")), Topic.UNVERIFIED);
    assertEquals(
        "unverified standby: db2 at db2 has been UNKNOWN for 5 minutes, and is still read from:"
            + " FATAL: out of memory",
        report.message());
    assertNone(cycleAfter(1, primary("db1", 1), standby("db2")), Topic.UNVERIFIED);
  }

  /** The standby leaves the read-only Service, and that is reported. */
  @Test
  void reportsNoLossOfAStandbyThatOnlyRefusesOurLogin() {
    NodeState refuses =
        NodeState.unknown(node("db2"), "db2", Failure.LOGIN_REFUSED, "FATAL: no such role");
    cycle(primary("db1", 1), refuses);
    assertNone(cycleAfter(300, primary("db1", 1), refuses), Topic.UNVERIFIED);
  }

  @Test
  void reportsALagThatOnlyGrows() {
    cycle(primaryAt(100), standbyAt("db2", 100));
    cycleAfter(60, primaryAt(104), standbyAt("db2", 101));
    cycleAfter(200, primaryAt(110), standbyAt("db2", 101));
    assertPending(cycleAfter(39, primaryAt(130), standbyAt("db2", 101)), Topic.LAG_GROWS);
    only(cycleAfter(60, primaryAt(130), standbyAt("db2", 101)), Topic.LAG_GROWS);
    Report report = only(cycleAfter(1, primaryAt(130), standbyAt("db2", 101)), Topic.LAG_GROWS);
    assertEquals(
        "growing lag: standby db2 at db2 is 30408704 bytes behind the primary db1 at db1, 30408704"
            + " more than 6 minutes ago, and the lag has not fallen since; check its WAL receiver,"
            + " its disk, and queries that block replay",
        report.message());
    assertNone(cycleAfter(10, primaryAt(130), standbyAt("db2", 102)), Topic.LAG_GROWS);
    assertPending(cycleAfter(10, primaryAt(130), standbyAt("db2", 102)), Topic.LAG_GROWS);
  }

  @Test
  void doesNotReportABurstAfterQuietHours() {
    cycle(primaryAt(100), standbyAt("db2", 99));
    for (int minute = 0; minute < 60; minute++) {
      cycleAfter(60, primaryAt(100), standbyAt("db2", 99));
    }
    assertPending(cycleAfter(10, primaryAt(200), standbyAt("db2", 99)), Topic.LAG_GROWS);
    assertPending(cycleAfter(289, primaryAt(300), standbyAt("db2", 99)), Topic.LAG_GROWS);
    assertNone(cycleAfter(60, primaryAt(300), standbyAt("db2", 299)), Topic.LAG_GROWS);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 15})
  void doesNotReportALagThatGrowsByLittle(long growth) {
    cycle(primaryAt(100), standbyAt("db2", 10));
    for (int minute = 0; minute < 60; minute++) {
      assertPending(cycleAfter(60, primaryAt(100 + growth), standbyAt("db2", 10)), Topic.LAG_GROWS);
    }
  }

  @Test
  void reportsAPrimaryWhoseSessionsCannotWrite() {
    Server server = primary("db1", 1).server();
    assertNone(cycle(primary("db1", server), standby("db2")), Topic.READ_ONLY_PRIMARY);
    assertNone(
        cycle(primary("db1", Servers.readOnlyByDefault(false, server)), standby("db2")),
        Topic.READ_ONLY_PRIMARY);
    Verdict verdict =
        cycle(primary("db1", Servers.readOnlyByDefault(true, server)), standby("db2"));
    assertTrue(verdict.isVerified() && !verdict.hasErrors());
    assertEquals(
        "read-only primary: db1 at db1 has default_transaction_read_only=on, so sessions cannot"
            + " write unless they turn it off; find what set it, such as a guard against a full"
            + " disk or a fence",
        only(verdict, Topic.READ_ONLY_PRIMARY).message());
    assertEquals(
        true,
        Servers.readOnlyByDefault(true, server)
            .with(HistoryAnswer.notGranted())
            .onTimeline(2L)
            .readOnlyByDefault());
  }

  private Verdict cycleAfter(int seconds, NodeState... states) {
    at = at.plusSeconds(seconds);
    return cycle(states);
  }

  private Verdict cycle(NodeState... states) {
    Decision.Outcome outcome =
        Decision.decide(
            PUBLISHED,
            memory,
            new Topology(List.of(states), at),
            new DecisionSettings(new Quorum(1), rules, Duration.ofMinutes(10)));
    memory = outcome.memory();
    return outcome.verdict();
  }

  private static List<Report> reports(Verdict verdict, Topic topic) {
    return verdict.reports().stream().filter(report -> report.topic() == topic).toList();
  }

  private static Report only(Verdict verdict, Topic topic) {
    List<Report> reports = reports(verdict, topic);
    assertEquals(1, reports.size(), verdict.reports().toString());
    assertTrue(!reports.get(0).pending(), verdict.reports().toString());
    return reports.get(0);
  }

  private static void assertPending(Verdict verdict, Topic topic) {
    List<Report> reports = reports(verdict, topic);
    assertEquals(1, reports.size(), verdict.reports().toString());
    assertTrue(reports.get(0).pending(), verdict.reports().toString());
  }

  private static void assertNone(Verdict verdict, Topic topic) {
    assertEquals(List.of(), reports(verdict, topic));
  }

  /** A standby without a WAL receiver. */
  private static NodeState cutOff(String host) {
    return standby(host, new Server(CLUSTER, startedAt(host), null, Lsn.of("0/3000000"), false));
  }

  private static NodeState primaryAt(long mib) {
    return primary("db1", new Server(CLUSTER, startedAt("db1"), 1L, new Lsn(mib * MIB), false));
  }

  private static NodeState standbyAt(String host, long mib) {
    return standby(host, new Server(CLUSTER, startedAt(host), null, new Lsn(mib * MIB), true));
  }
}
