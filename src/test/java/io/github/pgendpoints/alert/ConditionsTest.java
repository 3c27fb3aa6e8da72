package io.github.pgendpoints.alert;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.published;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  @Test
  void saysAnUnchangedTopologyOnce() {
    assertEquals(
        List.of("INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
    assertEquals(List.of(), verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void saysWhatANodeBecame() {
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));

    assertEquals(
        List.of(
            "WARN 10.0.0.2 is DOWN (Connection refused), was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:"),
        verified(primary("10.0.0.1", 1), down("10.0.0.2")));
    assertEquals(
        List.of("WARN 10.0.0.2 is UNKNOWN (FATAL: too many connections), was DOWN"),
        verified(primary("10.0.0.1", 1), unknown("10.0.0.2")));
    assertEquals(
        List.of(
            "INFO 10.0.0.2 is STANDBY, was UNKNOWN",
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void namesEveryPrimaryOfASplitBrain() {
    Topology split = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2), standby("10.0.0.3"));
    conditions.multiplePrimaries(split, List.of(), "nothing is written");

    assertEquals(
        List.of(
            "ERROR multiple primaries, nothing is written:"
                + " 10.0.0.1 at 10.0.0.1 (system identifier 7000000000000000001, timeline 1, LSN 0/3000060),"
                + " 10.0.0.2 at 10.0.0.2 (system identifier 7000000000000000001, timeline 2, LSN 0/3000060)"),
        news());
    conditions.multiplePrimaries(split, List.of(), "nothing is written");
    assertEquals(List.of(), news());
  }

  @Test
  void namesEveryNodeWhenThereIsNoPrimary() {
    Topology none = topology(down("10.0.0.1"), standby("10.0.0.2"), unknown("10.0.0.3"));
    conditions.noPrimary(none);

    assertEquals(
        List.of(
            "ERROR no primary, nothing is written: 10.0.0.1 is DOWN (Connection refused),"
                + " 10.0.0.2 is STANDBY, 10.0.0.3 is UNKNOWN (FATAL: too many connections)"),
        news());
  }

  @Test
  void doesNotRepeatARefusalWhoseReasonsVary() {
    conditions.noPrimary(topology(NodeState.down(down("db1").node(), null, "refused")));
    news();
    conditions.noPrimary(topology(NodeState.down(down("db1").node(), null, "timed out")));

    assertEquals(List.of(), news());
  }

  @Test
  void saysARefusalAgainWhenItsNodesAreOthers() {
    conditions.noPrimary(topology(down("10.0.0.1"), standby("10.0.0.2")));
    news();
    conditions.noPrimary(topology(down("10.0.0.1"), down("10.0.0.2")));

    assertEquals(1, news().size());
  }

  @Test
  void namesAForeignNodeOnceWhileItLasts() {
    Topology topology =
        topology(primary("10.0.0.1", 1), standby("10.0.0.2", foreign("10.0.0.2")))
            .identifiedBy(published(1, "10.0.0.1"));
    conditions.observed(topology);

    assertEquals(
        List.of(
            "ERROR foreign node 10.0.0.2 at 10.0.0.2 is a standby of system identifier"
                + " 7000000000000000009, not 7000000000000000001: it is put behind neither Service"),
        news());
    conditions.observed(topology);
    assertEquals(List.of(), news());
  }

  @Test
  void saysOnceWhichProtectionIsOff() {
    NodeState primary = primary("10.0.0.1", new Server(null, "10:00", null, Lsn.of("0/1"), false));
    conditions.observed(topology(primary));

    assertEquals(
        List.of(
            "WARN pg_control_system() is not granted to our role on 10.0.0.1: foreign nodes are not recognised",
            "WARN pg_walfile_name() is not granted to our role on 10.0.0.1: a stale primary is not recognised"),
        news());
    conditions.observed(topology(primary));
    assertEquals(List.of(), news());
  }

  @Test
  void saysWhenAStandbyIsNoLongerReadFromAndWhenAgain() {
    Topology topology = topology(primary("10.0.0.1", 1), standby("10.0.0.2"));
    conditions.verified(
        topology,
        new ReadOnly(List.of(), null, Map.of(standby("10.0.0.2").node(), "9 bytes behind")));
    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "WARN standby 10.0.0.2 is not read from: 9 bytes behind"),
        news());
    conditions.verified(
        topology,
        new ReadOnly(List.of(), null, Map.of(standby("10.0.0.2").node(), "8 bytes behind")));
    assertEquals(List.of(), news());
    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:10.0.0.2",
            "INFO standby 10.0.0.2 is read from"),
        verified(primary("10.0.0.1", 1), standby("10.0.0.2")));
  }

  @Test
  void saysOnceThatItIsPaused() {
    conditions.paused("PAUSED");
    assertEquals(List.of("WARN paused by PAUSED: nothing is written"), news());
    conditions.paused("PAUSED");
    assertEquals(List.of(), news());
    conditions.read(nothingPublished());
    assertEquals(List.of("INFO over: paused by PAUSED"), news());
  }

  @Test
  void isNotBrokenByForeignText() {
    conditions.publishFailed("a\nb\u001b[31m\u202e" + "x".repeat(9000));

    String said = news().get(0);
    assertTrue(said.startsWith("ERROR a b [31m xxx"), said.substring(0, 40));
    assertTrue(said.length() < 4100, said.length() + " characters");
  }

  @Test
  void whatLastsIsNotBrokenByForeignTextEither() {
    conditions.publishFailed("a\nb\u001b[31m\u202e" + "x".repeat(9000));
    conditions.news();

    String lasts = conditions.lasting().get(0);
    assertTrue(lasts.startsWith("a b [31m xxx"), lasts.substring(0, 40));
    assertTrue(lasts.length() < 4100, lasts.length() + " characters");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          read tcp 10.0.0.1:41234->10.96.0.1:443: reset | read tcp 10.0.0.1:50711->10.96.0.1:443: reset
          read tcp [fd00::1]:41234->[fd00::2]:443: reset | read tcp [fd00::1]:50711->[fd00::2]:443: reset
          it is 2026-11-24T09:00:00Z, too late | it is 2026-11-24T09:00:01.5Z, too late
          request 7f0c1a2b-12ab-4d5e failed | request 0a9e88d1-98cd-4d5e failed
          no answer within 1.2s, try 3 | no answer within 12s, try 4
          java.lang.Object@1b2c | java.lang.Object@7f01de
          """)
  void doesNotRepeatAFailureOfWhichOnlyNumbersVary(String first, String second) {
    conditions.publishFailed(first);
    assertEquals(List.of("ERROR " + first), news());
    conditions.publishFailed(second);
    assertEquals(List.of(), news());
    now = now.plusSeconds(3600);
    conditions.publishFailed(first);
    assertEquals(List.of("ERROR " + first + "; since 2026-11-24T09:00:00Z"), news());
  }

  @ParameterizedTest
  @CsvSource({
    "said no (403): no, said no (500): no",
    "Endpoints pg-1: no, Endpoints pg-2: no",
    "Service db1: no, Service db2: no",
    "10.0.0.1 is refused, 10.0.0.2 is refused",
    "10.0.0.1 is refused, 10.0.0.1 is reset"
  })
  void saysAFailureAgainWhenItIsAnother(String first, String second) {
    conditions.publishFailed(first);
    news();
    conditions.publishFailed(second);
    assertEquals(List.of("ERROR " + second), news());
  }

  @Test
  void saysAnErrorOfTheProgramOnceThoughEachCycleIsAnotherExchange() {
    conditions.cycleFailed(wrapped("4F535DC9AB6C75A-0000000000000002", "x"));
    assertEquals(
        List.of(
            "ERROR cycle failed, nothing is decided: java.lang.IllegalStateException: x"
                + " (java.lang.RuntimeException: on Exchange[4F535DC9AB6C75A-0000000000000002])"),
        news());
    conditions.cycleFailed(wrapped("4F535DC9AB6C75A-0000000000000003", "x"));
    assertEquals(List.of(), news());
    conditions.cycleFailed(wrapped("4F535DC9AB6C75A-0000000000000004", "y"));
    assertEquals(1, news().size());
  }

  private static Throwable wrapped(String exchange, String cause) {
    return new RuntimeException("on Exchange[" + exchange + "]", new IllegalStateException(cause));
  }

  @Test
  void saysWhenItIsOver() {
    conditions.noPrimary(topology(standby("10.0.0.1")));
    conditions.publishFailed("the Kubernetes API at h:1 said no (403): why");
    news();

    assertEquals(
        List.of(
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "INFO over: no primary",
            "INFO over: the Kubernetes API at h:1 said no (403)"),
        verified(primary("10.0.0.1", 2)));
  }

  @Test
  void doesNotSayThatItIsOverWhenTheCycleCouldNotTell() {
    Topology none = topology(standby("10.0.0.1"));
    conditions.observed(none);
    conditions.noPrimary(none);
    news();
    conditions.publishFailed("the Kubernetes API at h:1 cannot be reached: why");

    assertEquals(List.of("ERROR the Kubernetes API at h:1 cannot be reached: why"), news());
    conditions.observed(none);
    conditions.noPrimary(none);
    assertEquals(List.of("INFO over: the Kubernetes API at h:1 cannot be reached"), news());
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is PRIMARY, was STANDBY",
            "INFO topology verified: primary:10.0.0.1;standbys:",
            "INFO over: no primary"),
        verified(primary("10.0.0.1", 2)));
  }

  @Test
  void aWriteThatFailedIsOverOnlyWhenOneMayBeSeenToSucceed() {
    Topology good = topology(primary("10.0.0.1", 2));
    Topology none = topology(standby("10.0.0.1"));
    conditions.read(nothingPublished());
    conditions.observed(good);
    conditions.publishFailed("the Kubernetes API at h:1 said no (403): why");
    news();

    conditions.read(nothingPublished());
    conditions.observed(none);
    conditions.noPrimary(none);
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is STANDBY, was PRIMARY",
            "ERROR no primary, nothing is written: 10.0.0.1 is STANDBY"),
        news());

    conditions.read(nothingPublished());
    conditions.observed(good);
    conditions.published();
    assertEquals(
        List.of(
            "INFO 10.0.0.1 is PRIMARY, was STANDBY",
            "INFO over: no primary",
            "INFO over: the Kubernetes API at h:1 said no (403)"),
        news());
  }

  @Test
  void anotherProcessGoesOnFromWhatItRemembers() {
    conditions.degraded("odd");
    verified(primary("10.0.0.1", 1), standby("10.0.0.2"));
    conditions.observed(topology(standby("10.0.0.1"), down("10.0.0.2")));
    conditions.noPrimary(topology(standby("10.0.0.1"), down("10.0.0.2")));
    news();

    Conditions next = TestConditions.create();
    next.degraded("odd");
    next.recall(Memory.of(conditions.memory().json()));
    Topology good = topology(primary("10.0.0.1", 2), standby("10.0.0.2"));
    next.observed(good);
    next.verified(good, new ReadOnly(good.standbys(), null, Map.of()));
    assertEquals(
        List.of(
            "10.0.0.1 is PRIMARY, was STANDBY",
            "10.0.0.2 is STANDBY, was DOWN",
            "topology verified: primary:10.0.0.1;standbys:10.0.0.2",
            "over: no primary"),
        next.news().stream().map(Alert::message).toList());
  }

  @Test
  void tellsOfASplitBrainAgainWhenItsOutcomeIsAnother() {
    Topology split = topology(primary("10.0.0.1", 1), primary("10.0.0.2", 2));
    conditions.multiplePrimaries(split, List.of(), "pg-rw could not be emptied");
    news();
    conditions.observed(split);
    conditions.multiplePrimaries(split, List.of(), "pg-rw is emptied");
    Alert emptied = conditions.news().get(0);
    assertTrue(
        emptied.message().startsWith("multiple primaries, pg-rw is emptied: "), emptied.message());
    assertEquals(Alert.Phase.LASTS, emptied.phase());
    conditions.observed(topology(primary("10.0.0.1", 1)));
    assertTrue(news().contains("INFO over: multiple primaries"));
  }

  @Test
  void saysAgainWhatLastsAndKeepsItsKey() {
    conditions.noPrimary(topology(down("10.0.0.1")));
    Alert begun = conditions.news().get(0);
    now = now.plusSeconds(3599);
    conditions.noPrimary(topology(down("10.0.0.1")));
    assertEquals(List.of(), news());
    now = now.plusSeconds(1);
    conditions.noPrimary(topology(down("10.0.0.1")));
    Alert lasts = conditions.news().get(0);
    conditions.observed(topology(primary("10.0.0.1", 1)));
    Alert over = conditions.news().stream().filter(alert -> alert.ends() != null).findFirst().get();

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
  void doesNotTakeForOverWhatItCouldNotLookFor() {
    conditions.read(nothingPublished());
    conditions.paused("PAUSED");
    conditions.observed(topology(standby("10.0.0.1")));
    conditions.noPrimary(topology(standby("10.0.0.1")));
    news();
    conditions.publishFailed("the Kubernetes API at h:1 said no (403): why");

    assertEquals(List.of("ERROR the Kubernetes API at h:1 said no (403): why"), news());
  }

  @Test
  void tellsBeforeAndAfterAndThatThePrimaryIsAnother() {
    conditions.read(published(1, "10.0.0.1", Set.of("10.0.0.2:5432")));
    Alert changed = whole(primary("10.0.0.2", 2), standby("10.0.0.1")).get(0);

    assertEquals(Alert.Kind.PRIMARY_CHANGED, changed.kind());
    assertEquals("primary:10.0.0.1;standbys:10.0.0.2", changed.before());
    assertEquals("primary:10.0.0.2;standbys:10.0.0.1", changed.after());
    assertEquals("STANDBY", changed.nodes().get(1).state());
  }

  private List<Alert> whole(NodeState... states) {
    Topology topology = topology(states);
    conditions.observed(topology);
    conditions.verified(topology, new ReadOnly(topology.standbys(), null, Map.of()));
    return conditions.news();
  }

  private List<String> verified(NodeState... states) {
    Topology topology = topology(states);
    conditions.observed(topology);
    conditions.verified(topology, new ReadOnly(topology.standbys(), null, Map.of()));
    return news();
  }

  private List<String> news() {
    return conditions.news().stream()
        .map(alert -> alert.severity() + " " + alert.message())
        .toList();
  }
}
