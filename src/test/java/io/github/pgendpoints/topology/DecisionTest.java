package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.AT;
import static io.github.pgendpoints.topology.Nodes.CLUSTER;
import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.foreign;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.nothingPublished;
import static io.github.pgendpoints.topology.Nodes.startedAt;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Tests the three tables of docs/rules.md, row by row, with examples. */
class DecisionTest {
  private static final Set<Right> ALL = EnumSet.allOf(Right.class);
  private static final Set<Right> NONE = Set.of();

  /** Timeline 2, begun at 0/2000000. */
  private static final String SECOND = "1\t0/2000000\tno recovery target specified\n";

  /** Timeline 3 out of that timeline 2. */
  private static final String THIRD = SECOND + "2\t0/4000000\tno recovery target specified\n";

  private Memory memory = Memory.empty(StandbyHysteresis.none());

  // Helpers for the examples.

  private static Server server(String host, long timeline, String lsn, String history) {
    Server server = new Server(CLUSTER, startedAt(host), timeline, Lsn.of(lsn), false);
    return Servers.granting(ALL, server)
        .with(timeline == 1 ? null : HistoryAnswer.read(History.of(timeline, history)));
  }

  private static NodeState primary(String host, long timeline, String history) {
    return Nodes.primary(host, server(host, timeline, "0/5000000", history));
  }

  private static NodeState standby(String host, long timeline, String lsn, String history) {
    return Nodes.standby(host, server(host, timeline, lsn, history));
  }

  private static NodeState following(NodeState standby, String upstream) {
    return standby.with(Servers.between(upstream + ":" + Nodes.PORT, Set.of(), standby.server()));
  }

  private static NodeState restarted(NodeState node) {
    Server was = node.server();
    return node.with(
        new Server(
            was.systemIdentifier(),
            was.startedAt() + 60_000_000_000L,
            was.timeline(),
            was.lsn(),
            was.streaming(),
            was.source(),
            was.replicas(),
            was.rights(),
            was.history(),
            was.unread(),
            was.readOnlyByDefault()));
  }

  private static NodeState without(NodeState node, Set<Right> rights, HistoryAnswer history) {
    return node.with(Servers.granting(rights, node.server()).with(history));
  }

  private static NodeState full(String host) {
    return NodeState.unknown(node(host), node(host).host(), Failure.FULL, "too many connections");
  }

  private static LastPublished published(String host, long timeline, String begin) {
    return published(host, timeline, begin, Set.of());
  }

  private static LastPublished published(
      String host, long timeline, String begin, Set<String> readOnly) {
    String entry = node(host).host() + ":" + Nodes.PORT;
    return new LastPublished(
        new PublishedPrimary(
            new Line(CLUSTER, timeline, Lsn.of(begin)), List.of(entry), host, startedAt(host)),
        CLUSTER,
        Set.of(entry),
        readOnly,
        0,
        false,
        List.of());
  }

  private Verdict verdict(LastPublished published, NodeState... nodes) {
    return verdict(published, topology(nodes));
  }

  private Verdict verdict(LastPublished published, Topology topology) {
    return verdict(published, topology, new Quorum(1));
  }

  private Verdict verdict(LastPublished published, Topology topology, Quorum quorum) {
    DecisionSettings settings =
        new DecisionSettings(quorum, new ReadOnlyRules(null, false, false), Duration.ofSeconds(15));
    Decision.Outcome outcome = Decision.decide(published, memory, topology, settings);
    memory = outcome.memory();
    return outcome.verdict();
  }

  private static Topology after(long seconds, NodeState... nodes) {
    return new Topology(List.of(nodes), AT.plusSeconds(seconds));
  }

  private static PrimaryClass classOf(Verdict verdict, String host) {
    return verdict.primaries().get(node(host));
  }

  private static void assertRefused(Rule rule, Verdict verdict) {
    assertEquals(rule, verdict.rule(), () -> verdict.reports().toString());
    assertTrue(verdict.hasErrors());
    assertNull(verdict.publishing());
  }

  private static void assertVerified(String host, Verdict verdict) {
    assertEquals(Rule.VERIFIED, verdict.rule(), () -> verdict.reports().toString());
    assertEquals(node(host), verdict.primary().node());
    assertEquals(host, verdict.publishing().name());
  }

  private static boolean says(Verdict verdict, String text) {
    return verdict.reports().stream().anyMatch(report -> report.message().contains(text));
  }

  @Nested
  class Primaries {
    @Test
    void isFirstWhereNoLineIsPublished() {
      Verdict verdict = verdict(nothingPublished(), primary("10.0.0.1", 2, SECOND));

      assertEquals(PrimaryClass.FIRST, classOf(verdict, "10.0.0.1"));
      assertVerified("10.0.0.1", verdict);
      assertEquals(new Line(CLUSTER, 2, Lsn.of("0/2000000")), verdict.publishing().line());
    }

    @Test
    void isNoTimelineForASilentPublishedServer() {
      Verdict verdict =
          verdict(published("10.0.0.1", 2, "0/2000000"), hardened("10.0.0.1", Map.of()));

      assertEquals(PrimaryClass.NO_TIMELINE, classOf(verdict, "10.0.0.1"));
      assertVerified("10.0.0.1", verdict);
      assertEquals(2, verdict.publishing().line().timeline(), "the line stays");
    }

    /** That server may be an old primary that answers slowly. */
    @Test
    void isUnprovenWhereAnotherServerDoesNotTellItsTimeline() {
      assertUnproven(
          verdict(published("10.0.0.1", 2, "0/2000000"), hardened("10.0.0.2", Map.of())));
      assertUnproven(
          verdict(
              published("10.0.0.1", 2, null),
              hardened(
                  "10.0.0.2",
                  Map.of(Protection.STALE_PRIMARY, new UnreadValue("late", List.of())))));
    }

    /** Managed PostgreSQL servers do not grant these rights. */
    @Test
    void isNoTimelineWithoutRights() {
      Verdict verdict = verdict(published("10.0.0.1", 2, null), hardened("10.0.0.2", Map.of()));

      assertEquals(PrimaryClass.NO_TIMELINE, classOf(verdict, "10.0.0.2"));
      assertVerified("10.0.0.2", verdict);
    }

    private void assertUnproven(Verdict verdict) {
      assertEquals(PrimaryClass.UNPROVEN, classOf(verdict, "10.0.0.2"));
      assertEquals(Rule.UNPROVEN, verdict.rule());
    }

    /** The history of another cluster also contains timeline 1 from 0/0. */
    @Test
    void isUnprovenWhereItDoesNotTellItsCluster() {
      NodeState successor = primary("10.0.0.2", 2, SECOND);
      Server told = successor.server();
      Server noTimeline =
          new Server(
              null,
              told.startedAt(),
              told.timeline(),
              told.lsn(),
              false,
              null,
              Set.of(),
              told.rights(),
              told.history(),
              Map.of(),
              null);
      LastPublished first = published("10.0.0.1", 1, "0/0");

      assertVerified("10.0.0.2", verdict(first, successor));
      assertUnproven(verdict(first, Nodes.primary("10.0.0.2", noTimeline)));
    }

    private NodeState hardened(String name, Map<Protection, UnreadValue> unread) {
      return Nodes.primary(
          name,
          new Server(
              CLUSTER,
              startedAt(name),
              null,
              Lsn.of("0/5000000"),
              false,
              null,
              Set.of(),
              Set.of(),
              null,
              unread,
              null));
    }

    @Test
    void isPublishedOnTheSameLineAndServer() {
      LastPublished published = published("10.0.0.1", 2, "0/2000000");
      NodeState primary = primary("10.0.0.1", 2, SECOND);

      assertEquals(PrimaryClass.PUBLISHED, classOf(verdict(published, primary), "10.0.0.1"));
      assertEquals(
          PrimaryClass.PUBLISHED,
          classOf(verdict(published, restarted(primary)), "10.0.0.1"),
          "by its entry, where nobody has the start time");
      assertEquals(
          PrimaryClass.PUBLISHED,
          classOf(
              verdict(
                  published,
                  NodeState.answered(
                      node("10.0.0.9"), State.PRIMARY, "10.0.0.9", primary.server())),
              "10.0.0.9"),
          "by its start time, whatever its address");
    }

    @Test
    void isPublishedAlsoWhereABeginIsNotKnown() {
      NodeState failed =
          without(primary("10.0.0.1", 2, SECOND), ALL, HistoryAnswer.failed("timeout"));

      assertEquals(
          PrimaryClass.PUBLISHED,
          classOf(verdict(published("10.0.0.1", 2, "0/2000000"), failed), "10.0.0.1"));
    }

    @Test
    void hasGivenInWhereThePublishedServerIsItsStandby() {
      // n1 and n2 were promoted apart, and n1 was rebuilt from n2.
      String apart = "1\t0/2000028\tno recovery target specified\n";

      Verdict verdict =
          verdict(
              published("10.0.0.1", 2, "0/2000000"),
              restarted(following(standby("10.0.0.1", 2, "0/5000000", apart), "10.0.0.2")),
              primary("10.0.0.2", 2, apart));

      assertEquals(PrimaryClass.TAKEN_OVER, classOf(verdict, "10.0.0.2"));
      assertVerified("10.0.0.2", verdict);
    }

    @Test
    void doesNotInheritTheBeginOfTheLineThatGaveIn() {
      String apart = "1\t0/2000028\tno recovery target specified\n";

      Verdict verdict =
          verdict(
              published("10.0.0.1", 2, "0/2000000"),
              restarted(following(standby("10.0.0.1", 2, "0/5000000", apart), "10.0.0.2")),
              without(primary("10.0.0.2", 2, apart), ALL, HistoryAnswer.failed("timeout")));

      assertEquals(PrimaryClass.TAKEN_OVER, classOf(verdict, "10.0.0.2"));
      assertNull(verdict.publishing().line().begin(), "it is not known yet");
    }

    @Test
    void hasNotGivenInToATwinThatItDoesNotStreamFrom() {
      // The begins are equal, and n1 is merely restarted in recovery.
      Verdict verdict =
          verdict(
              published("10.0.0.1", 2, "0/2000000"),
              restarted(standby("10.0.0.1", 2, "0/3000000", SECOND)),
              primary("10.0.0.2", 2, SECOND));

      assertEquals(PrimaryClass.TWIN, classOf(verdict, "10.0.0.2"));
      assertRefused(Rule.PROMOTED_APART, verdict);
    }

    @Test
    void hasMovedWhereItsStandbysFollowItToANewAddress() {
      LastPublished published = published("10.0.0.1", 2, "0/2000000");
      NodeState moved = restarted(primary("10.0.0.7", 2, SECOND));
      NodeState one = following(standby("10.0.0.2", 2, "0/5000000", SECOND), "10.0.0.7");
      NodeState other = following(standby("10.0.0.3", 2, "0/5000000", SECOND), "10.0.0.7");

      Verdict verdict =
          verdict(published, topology(moved, one, other).withUnanswered(List.of("10.0.0.1:5432")));

      assertEquals(PrimaryClass.MOVED, classOf(verdict, "10.0.0.7"));
      assertVerified("10.0.0.7", verdict);
      assertEquals(
          PrimaryClass.TWIN,
          classOf(verdict(published, topology(moved, one, other)), "10.0.0.7"),
          "while somebody accepts TCP at the old address");
      NodeState alias =
          NodeState.answered(node("10.0.0.8"), State.PRIMARY, "10.0.0.8", moved.server());
      assertEquals(
          PrimaryClass.MOVED,
          classOf(
              verdict(
                  published, topology(moved, alias, one).withUnanswered(List.of("10.0.0.1:5432"))),
              "10.0.0.7"),
          "an alias is no other server");
    }

    @Test
    void isPublishedByNameOnceNobodyIsWhereItWas() {
      LastPublished published = published("db1", 2, "0/2000000");
      NodeState named =
          restarted(
              NodeState.answered(
                  node("db1"),
                  State.PRIMARY,
                  "10.0.0.7",
                  server("10.0.0.7", 2, "0/5000000", SECOND)));
      Topology moved = topology(named);
      List<String> old = published.primary().entries();

      assertEquals(old, moved.unlistedEntries(published, List.of()));
      assertEquals(
          List.of(), topology(primary("db1", 2, SECOND)).unlistedEntries(published, List.of()));
      assertEquals(
          PrimaryClass.PUBLISHED, classOf(verdict(published, moved.withUnanswered(old)), "db1"));
      assertEquals(PrimaryClass.TWIN, classOf(verdict(published, moved), "db1"));
    }

    @Test
    void isATwinOnAnotherServer() {
      Verdict verdict =
          verdict(
              published("10.0.0.1", 2, "0/2000000"),
              down("10.0.0.1"),
              primary("10.0.0.2", 2, SECOND));

      assertEquals(PrimaryClass.TWIN, classOf(verdict, "10.0.0.2"));
      assertRefused(Rule.PROMOTED_APART, verdict);
    }

    @Test
    void isADeadBranchBelowOrBesideTheLine() {
      LastPublished published = published("10.0.0.1", 3, "0/4000000");
      String fork = "1\t0/2000000\tx\n";

      assertEquals(
          PrimaryClass.DEAD_BRANCH,
          classOf(verdict(published, down("10.0.0.1"), primary("10.0.0.2", 2, SECOND)), "10.0.0.2"),
          "on a lower timeline");
      assertEquals(
          PrimaryClass.DEAD_BRANCH,
          classOf(verdict(published, down("10.0.0.1"), primary("10.0.0.2", 3, fork)), "10.0.0.2"),
          "on the same one, begun elsewhere");
      assertEquals(
          PrimaryClass.DEAD_BRANCH,
          classOf(verdict(published, down("10.0.0.1"), primary("10.0.0.2", 4, fork)), "10.0.0.2"),
          "on a higher one whose history does not contain the line");
    }

    @Test
    void isASuccessorWhereItsHistoryContainsTheLine() {
      Verdict verdict =
          verdict(
              published("10.0.0.1", 2, "0/2000000"),
              down("10.0.0.1"),
              primary("10.0.0.2", 3, THIRD));

      assertEquals(PrimaryClass.SUCCESSOR, classOf(verdict, "10.0.0.2"));
      assertVerified("10.0.0.2", verdict);
    }

    @Test
    void isUnprovenWhereItsHistoryIsNotKnown() {
      NodeState denied = without(primary("10.0.0.2", 3, THIRD), NONE, HistoryAnswer.notGranted());
      NodeState failed =
          without(primary("10.0.0.2", 3, THIRD), ALL, HistoryAnswer.failed("timeout"));
      LastPublished withBegin = published("10.0.0.1", 2, "0/2000000");
      LastPublished withoutBegin = published("10.0.0.1", 2, null);

      assertEquals(PrimaryClass.UNPROVEN, classOf(verdict(withBegin, denied), "10.0.0.2"));
      assertRefused(Rule.UNPROVEN, verdict(withBegin, denied));
      assertRefused(Rule.UNPROVEN, verdict(withoutBegin, failed));
      assertVerified("10.0.0.2", verdict(withoutBegin, denied));
    }

    /** As in a cluster that was restored without its older history files. */
    @Test
    void isProvenOnlyAsFarAsItsHistoryReachesBack() {
      NodeState successor = primary("10.0.0.2", 6, "5 0/4000000");
      NodeState gone = down("10.0.0.1");

      assertVerified("10.0.0.2", verdict(published("10.0.0.1", 5, null), gone, successor));
      for (LastPublished older :
          List.of(published("10.0.0.1", 3, "0/2000000"), published("10.0.0.1", 5, "0/3000000"))) {
        memory = Memory.empty(StandbyHysteresis.none());
        Verdict verdict = verdict(older, gone, successor);
        assertEquals(PrimaryClass.UNPROVEN, classOf(verdict, "10.0.0.2"));
        assertRefused(Rule.UNPROVEN, verdict);
        assertTrue(says(verdict, "its history starts at timeline 5"), verdict.reports().toString());
      }
    }

    @Test
    void isNotBelievedAJumpOfMoreThanAHundredTimelines() {
      LastPublished published = published("10.0.0.1", 2, null);
      for (long timeline : new long[] {102, 103}) {
        NodeState far =
            Nodes.primary(
                "10.0.0.2",
                new Server(CLUSTER, startedAt("10.0.0.2"), timeline, Lsn.of("0/5000000"), false));

        assertEquals(
            timeline == 102 ? Rule.VERIFIED : Rule.UNPROVEN, verdict(published, far).rule());
      }
    }
  }

  @Nested
  class Standbys {
    private final LastPublished published =
        published("10.0.0.1", 2, "0/2000000", Set.of("10.0.0.3:5432"));

    private StandbyClass classOf(NodeState standby) {
      Verdict verdict = verdict(published, primary("10.0.0.1", 2, SECOND), standby);
      assertVerified("10.0.0.1", verdict);
      return verdict.standbys().get(standby.node());
    }

    private boolean isRead(NodeState standby) {
      return verdict(published, primary("10.0.0.1", 2, SECOND), standby)
          .readOnly()
          .members()
          .stream()
          .anyMatch(member -> member.node().equals(standby.node()));
    }

    @Test
    void isOnLineUpToThePrimarysPosition() {
      NodeState standby = standby("10.0.0.2", 2, "0/5000000", SECOND);

      assertEquals(StandbyClass.ON_LINE, classOf(standby));
      assertTrue(isRead(standby));
    }

    @Test
    void isOnLineOnAnAncestorUpToItsEnd() {
      NodeState standby = standby("10.0.0.2", 1, "0/2000000", null);

      assertEquals(StandbyClass.ON_LINE, classOf(standby));
      assertTrue(isRead(standby));
    }

    @Test
    void isAheadBeyondThePrimarysPosition() {
      NodeState outside = standby("10.0.0.2", 2, "0/5000028", SECOND);
      NodeState inside = standby("10.0.0.3", 2, "0/5000028", SECOND);

      assertEquals(StandbyClass.AHEAD, classOf(outside));
      assertFalse(isRead(outside), "it does not enter");
      assertTrue(isRead(inside), "it keeps its place");
      Verdict verdict = verdict(published, primary("10.0.0.1", 2, SECOND), inside);
      assertTrue(verdict.hasErrors() && says(verdict, "40 bytes"), verdict.reports().toString());
    }

    @Test
    void isUnplacedWhereThePrimaryDoesNotConfirmItsPosition() {
      NodeState primary = primary("10.0.0.1", 2, SECOND);
      NodeState inside = standby("10.0.0.3", 2, "0/5000028", SECOND);
      NodeState refused =
          NodeState.unknown(primary.node(), primary.address(), Failure.OTHER, "out of memory");

      Verdict verdict = verdict(published, topology(primary, inside).updatedBy(List.of(refused)));

      assertVerified("10.0.0.1", verdict);
      assertEquals(StandbyClass.UNPLACED, verdict.standbys().get(inside.node()));
      assertFalse(verdict.hasErrors(), "nothing is proven");
      assertEquals(List.of(inside), verdict.readOnly().members());
    }

    @Test
    void isOffLineBeyondTheEndOfAnAncestorOrOnAnotherBranch() {
      NodeState beyond = standby("10.0.0.3", 1, "0/2000028", null);
      NodeState apart = standby("10.0.0.3", 2, "0/3000000", "1\t0/2000028\tx\n");
      NodeState higher = standby("10.0.0.3", 3, "0/3000000", "1\t0/2000028\tx\n");

      for (NodeState standby : List.of(beyond, apart, higher)) {
        assertEquals(StandbyClass.OFF_LINE, classOf(standby));
        assertFalse(isRead(standby), "though it was read from");
      }
    }

    @Test
    void isUndeterminedWhereItsTimelineIsNotTold() {
      NodeState noTimeline =
          Nodes.standby(
              "10.0.0.2",
              new Server(CLUSTER, startedAt("10.0.0.2"), null, Lsn.of("0/4000000"), true));

      assertEquals(StandbyClass.UNDETERMINED, classOf(noTimeline));
      assertTrue(isRead(noTimeline), "as before");
    }
  }

  @Nested
  class Rules {
    private final LastPublished published = published("10.0.0.1", 2, "0/2000000");

    @Test
    void refusesWhatCannotBeRead() {
      assertRefused(
          Rule.UNREADABLE,
          verdict(published.withFault("STATE is away"), primary("10.0.0.1", 2, SECOND)));
    }

    @Test
    void refusesAFirstRunWithoutAMajorityOfOneCluster() {
      Verdict verdict =
          verdict(
              nothingPublished(),
              primary("10.0.0.1", 1, null),
              Nodes.primary("10.0.0.2", foreign("10.0.0.2")));

      assertRefused(Rule.NO_MAJORITY, verdict);
      assertTrue(says(verdict, "overrule"));
    }

    @Test
    void refusesTwoCandidatesEvenIfOneDescendsFromTheOther() {
      Verdict verdict =
          verdict(published, primary("10.0.0.1", 2, SECOND), primary("10.0.0.2", 3, THIRD));

      assertRefused(Rule.SPLIT_BRAIN, verdict);
      assertTrue(says(verdict, "parted on timeline 2 at 0/4000000"));
      assertEquals(
          List.of("10.0.0.1:5432", "10.0.0.2:5432"),
          memory.rivals().stream().map(Rival::entry).sorted().toList());
    }

    @Test
    void countsAFullPublishedPrimaryAsACandidate() {
      NodeState successor = primary("10.0.0.2", 3, THIRD);

      assertRefused(Rule.SPLIT_BRAIN, verdict(published, full("10.0.0.1"), successor));
      memory = Memory.empty(StandbyHysteresis.none());
      assertVerified("10.0.0.1", verdict(published, full("10.0.0.1"), down("10.0.0.2")));
      memory = Memory.empty(StandbyHysteresis.none());
      assertVerified(
          "10.0.0.2",
          verdict(
              published,
              full("10.0.0.1"),
              successor.with(Servers.between(null, Set.of("10.0.0.1"), successor.server()))));
    }

    @Test
    void keepsAPrimaryThatRefusesUsWhileAStandbyStreams() {
      NodeState refusing =
          NodeState.unknown(
              node("10.0.0.1"), "10.0.0.1", Failure.LOGIN_REFUSED, "no pg_hba.conf entry");
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      NodeState standby = standby("10.0.0.3", 2, "0/5000000", SECOND);

      assertRefused(
          Rule.SPLIT_BRAIN,
          verdict(published, refusing, successor, following(standby, "10.0.0.1")));
      memory = Memory.empty(StandbyHysteresis.none());
      assertRefused(Rule.NO_PRIMARY, verdict(published, refusing, following(standby, "10.0.0.1")));
      memory = Memory.empty(StandbyHysteresis.none());
      assertVerified(
          "10.0.0.2", verdict(published, refusing, successor, following(standby, "10.0.0.2")));
      memory = Memory.empty(StandbyHysteresis.none());
      NodeState cascaded = standby("10.0.0.3", 3, "0/5000000", THIRD);
      assertVerified(
          "10.0.0.2", verdict(published, refusing, successor, following(cascaded, "10.0.0.1")));
    }

    @Test
    void followsTheLineBesideADeadBranch() {
      Verdict verdict =
          verdict(
              published,
              down("10.0.0.1"),
              primary("10.0.0.2", 1, null),
              primary("10.0.0.3", 3, THIRD));

      assertVerified("10.0.0.3", verdict);
      assertTrue(verdict.hasErrors());
      assertTrue(says(verdict, "multiple primaries: 10.0.0.2"), verdict.reports().toString());
      assertTrue(says(verdict, "fence it"));
    }

    @Test
    void refusesWithoutACandidate() {
      assertRefused(Rule.NO_PRIMARY, verdict(published, down("10.0.0.1")));

      Verdict dead = verdict(published, down("10.0.0.1"), primary("10.0.0.2", 1, null));
      assertRefused(Rule.NO_PRIMARY, dead);
      assertTrue(says(dead, "overrule 10.0.0.2:5432"));

      Verdict upgraded = verdict(published, Nodes.primary("10.0.0.1", foreign("10.0.0.1")));
      assertRefused(Rule.NO_PRIMARY, upgraded);
      assertTrue(says(upgraded, "overrule 10.0.0.1:5432"), "the one command after pg_upgrade");
    }

    @Test
    void holdsASplitBrainUntilEachRivalIsAccountedFor() {
      NodeState published1 = primary("10.0.0.1", 2, SECOND);
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, published1, successor));
      Memory held = memory;

      assertRefused(
          Rule.SPLIT_BRAIN_LASTS, verdict(published, after(5, down("10.0.0.1"), successor)));
      memory = held;
      assertVerified("10.0.0.2", verdict(published, after(5, successor)));
      memory = held;
      assertVerified(
          "10.0.0.2",
          verdict(
              published,
              after(5, restarted(standby("10.0.0.1", 2, "0/4000000", SECOND)), successor)));
      memory = held;
      assertVerified(
          "10.0.0.1", verdict(published, after(5, published1, primary("10.0.0.2", 1, null))));
    }

    @Test
    void takesARivalForDeadAfterThirtySecondsOfProbesOfItsOwn() {
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, primary("10.0.0.1", 2, SECOND), successor));

      for (int seconds = 10; seconds < 40; seconds += 10) {
        assertRefused(
            Rule.SPLIT_BRAIN_LASTS,
            verdict(published, after(seconds, down("10.0.0.1"), successor)));
      }
      assertVerified("10.0.0.2", verdict(published, after(40, down("10.0.0.1"), successor)));
    }

    @Test
    void keepsRivalsUntilAPrimaryIsPublished() {
      NodeState former = primary("10.0.0.1", 2, SECOND);
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, former, successor));
      for (int seconds = 10; seconds <= 40; seconds += 10) {
        verdict(published, after(seconds, down("10.0.0.1"), successor));
      }

      // Verified, but not published, for example while paused.
      assertVerified("10.0.0.2", verdict(published, after(50, down("10.0.0.1"), successor)));
      assertRefused(
          Rule.SPLIT_BRAIN_LASTS, verdict(published, after(60, former, down("10.0.0.2"))));

      assertEquals(List.of(), memory.publishing(published.primary()).rivals());
    }

    @Test
    void forgetsRivalsOnceTheOneInForceIsVerified() {
      NodeState former = primary("10.0.0.1", 2, SECOND);
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, former, successor));
      NodeState rejoined = standby("10.0.0.2", 2, "0/4000000", SECOND);

      // Nothing is written, for example because the read-only Service is missing.
      assertVerified("10.0.0.1", verdict(published, after(5, former, rejoined)));
      assertEquals(List.of(), memory.rivals());
      assertVerified("10.0.0.2", verdict(published, after(60, down("10.0.0.1"), successor)));
    }

    @Test
    void keepsARivalThatIsDownAlthoughThePublishedOneIsInForce() {
      NodeState former = primary("10.0.0.1", 2, SECOND);
      verdict(published, after(0, former, primary("10.0.0.2", 3, THIRD)));
      for (int seconds = 10; seconds <= 40; seconds += 10) {
        verdict(published, after(seconds, former, down("10.0.0.2")));
      }
      assertVerified("10.0.0.1", verdict(published, after(50, former, down("10.0.0.2"))));

      // Nothing was published meanwhile, for example while paused.
      assertRefused(
          Rule.SPLIT_BRAIN_LASTS,
          verdict(published, after(60, down("10.0.0.1"), primary("10.0.0.2", 3, THIRD))));
    }

    /** The published primary of a split brain, whose rival was DOWN when it was published. */
    private NodeState outlives() {
      NodeState former = primary("10.0.0.1", 2, SECOND);
      verdict(published, after(0, former, primary("10.0.0.2", 3, THIRD)));
      for (int seconds = 10; seconds <= 40; seconds += 10) {
        verdict(published, after(seconds, former, down("10.0.0.2")));
      }
      memory = memory.publishing(published.primary());
      return former;
    }

    @Test
    void refusesAnOutlivedRivalThatIsBackAlone() {
      outlives();
      NodeState back = primary("10.0.0.2", 3, THIRD);

      Verdict refused = verdict(published, after(60, down("10.0.0.1"), back));
      assertRefused(Rule.SPLIT_BRAIN_LASTS, refused);
      assertTrue(
          says(refused, "was DOWN when 10.0.0.1 was published"), refused.reports().toString());
      Memory held = memory;
      assertVerified(
          "10.0.0.2",
          verdict(published, after(70, standby("10.0.0.1", 3, "0/5000000", THIRD), back)));
      memory = held;
      assertVerified("10.0.0.2", verdict(published, after(70, back)));
    }

    @Test
    void followsAnotherServerAlthoughARivalIsOutlived() {
      NodeState former = outlives();
      assertVerified("10.0.0.1", verdict(published, after(60, former, down("10.0.0.2"))));

      assertVerified(
          "10.0.0.3",
          verdict(
              published,
              after(70, down("10.0.0.1"), down("10.0.0.2"), primary("10.0.0.3", 3, THIRD))));
    }

    @Test
    void isASplitBrainAgainOnceAnOutlivedRivalIsBackBesideThePublishedOne() {
      NodeState former = outlives();
      NodeState back = primary("10.0.0.2", 3, THIRD);

      assertRefused(Rule.SPLIT_BRAIN, verdict(published, after(60, former, back)));
      assertRefused(Rule.SPLIT_BRAIN_LASTS, verdict(published, after(70, down("10.0.0.1"), back)));
      assertRefused(
          Rule.SPLIT_BRAIN_LASTS, verdict(published, after(80, former, down("10.0.0.2"))));
      assertVerified(
          "10.0.0.1",
          verdict(published, after(90, former, standby("10.0.0.2", 2, "0/4000000", SECOND))));
    }

    @Test
    void checksTheAddressThatTheNameOfARivalHasLost() {
      NodeState first = at("pg", primary("10.0.0.1", 2, SECOND));
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, first, at("pg", successor)));
      Topology lost = after(5, named("pg", successor));
      List<String> entries = lost.unlistedEntries(published, memory.rivals());
      assertEquals(List.of("10.0.0.1:5432"), entries);

      for (int seconds = 10; seconds <= 30; seconds += 10) {
        assertRefused(
            Rule.SPLIT_BRAIN_LASTS,
            verdict(published, after(seconds, named("pg", successor)).withUnanswered(entries)));
      }
      assertVerified(
          "pg", verdict(published, after(40, named("pg", successor)).withUnanswered(entries)));
    }

    @Test
    void keepsARivalWhoseNameLeadsToTheCandidate() {
      NodeState former = named("pg1", primary("10.0.0.1", 2, SECOND));
      verdict(published, after(0, former, named("pg2", primary("10.0.0.2", 3, THIRD))));

      NodeState alias = named("pg2", primary("10.0.0.1", 2, SECOND));
      assertRefused(Rule.SPLIT_BRAIN_LASTS, verdict(published, after(5, former, alias)));
    }

    @Test
    void keepsARivalWhoseNameLeadsToAnotherServer() {
      NodeState first = named("pg2", primary("10.0.0.1", 2, SECOND));
      NodeState successor = named("pg3", primary("10.0.0.2", 3, THIRD));
      verdict(published, after(0, first, successor));
      NodeState standby = named("pg2", standby("10.0.0.3", 2, "0/4000000", SECOND));

      assertRefused(
          Rule.SPLIT_BRAIN_LASTS,
          verdict(published, after(5, named("pg1", down("10.0.0.1")), standby, successor)));
      assertVerified("pg3", verdict(published, after(10, standby, successor)));
    }

    @Test
    void keepsARivalWhoseNameLosesItsAddress() {
      NodeState first = at("pg", primary("10.0.0.1", 2, SECOND));
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, first, at("pg", successor)));

      assertRefused(Rule.SPLIT_BRAIN_LASTS, verdict(published, after(5, named("pg", successor))));
      assertVerified("pg9", verdict(published, after(10, named("pg9", successor))));
    }

    private NodeState named(String name, NodeState state) {
      return state.of(new Node(name, Nodes.PORT, name));
    }

    /** One of several servers of a name. */
    private NodeState at(String name, NodeState state) {
      return state.of(new Node(name, Nodes.PORT, name).at(state.address()));
    }

    @Test
    void keepsARivalWhileANameDoesNotResolve() {
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      verdict(published, after(0, primary("10.0.0.1", 2, SECOND), successor));
      NodeState unresolved =
          NodeState.unknown(node("db.example.com"), null, Failure.OTHER, "unknown host");

      assertRefused(Rule.SPLIT_BRAIN_LASTS, verdict(published, after(5, unresolved, successor)));
      assertRefused(
          Rule.SPLIT_BRAIN_LASTS, verdict(published, after(10, down("10.0.0.1"), successor)));
    }

    @Test
    void takesNoRivalForDeadWhileAStandbyHasMoreOfTheLine() {
      NodeState successor = primary("10.0.0.2", 3, THIRD);
      NodeState more = standby("10.0.0.3", 2, "0/4000028", SECOND);
      verdict(published, after(0, primary("10.0.0.1", 2, SECOND), successor, more));

      for (int seconds = 10; seconds < 100; seconds += 10) {
        assertRefused(
            Rule.SPLIT_BRAIN_LASTS,
            verdict(published, after(seconds, down("10.0.0.1"), successor, more)));
      }
    }

    @Test
    void reportsWhatANewPrimaryLacksWithoutASplitBrain() {
      Verdict verdict =
          verdict(
              published,
              down("10.0.0.1"),
              primary("10.0.0.2", 3, THIRD),
              standby("10.0.0.3", 2, "0/4000028", SECOND));

      assertVerified("10.0.0.2", verdict);
      assertTrue(says(verdict, "40 bytes of timeline 2"), verdict.reports().toString());
      assertFalse(verdict.hasErrors(), "a warning");
    }

    @Test
    void refusesBelowTheQuorumAndCountsDeadBranches() {
      Topology two = topology(down("10.0.0.1"), primary("10.0.0.2", 3, THIRD), down("10.0.0.3"));
      Topology three =
          topology(down("10.0.0.1"), primary("10.0.0.2", 3, THIRD), primary("10.0.0.3", 1, null));

      assertRefused(Rule.QUORUM, verdict(published, two, Quorum.MAJORITY));
      assertVerified("10.0.0.2", verdict(published, three, Quorum.MAJORITY));
    }

    @Test
    void refusesAnotherFirstPrimaryByAMinority() {
      LastPublished ofOriginal =
          new LastPublished(
              new PublishedPrimary(null, List.of("10.0.0.1:5432"), null, null),
              null,
              Set.of("10.0.0.1:5432"),
              Set.of("10.0.0.2:5432"),
              0,
              false,
              List.of());
      NodeState other = primary("10.0.0.3", 1, null);

      Verdict refused = verdict(ofOriginal, down("10.0.0.1"), down("10.0.0.2"), other);
      assertRefused(Rule.FIRST_RUN, refused);
      assertTrue(
          says(
              refused, "10.0.0.3 at 10.0.0.3 is a primary, but 10.0.0.1:5432 is published, and no"),
          refused.reports().toString());
      assertVerified(
          "10.0.0.3",
          verdict(ofOriginal, down("10.0.0.1"), standby("10.0.0.2", 1, "0/2000000", null), other));
      assertVerified(
          "10.0.0.1",
          verdict(ofOriginal, primary("10.0.0.1", 1, null), down("10.0.0.2"), down("10.0.0.3")));
    }

    @Test
    void followsAFailoverOfServersThatReportNoTimeline() {
      NodeState first = Nodes.primary("10.0.0.1", withoutTimeline("10.0.0.1"));
      NodeState next = Nodes.primary("10.0.0.2", withoutTimeline("10.0.0.2"));
      PublishedPrimary known = verdict(nothingPublished(), first).publishing();
      assertNull(known.line());

      assertVerified("10.0.0.2", verdict(behind(known), down("10.0.0.1"), next));
      assertRefused(
          Rule.FIRST_RUN, verdict(behind(known), down("10.0.0.1"), down("10.0.0.3"), next));
      assertRefused(
          Rule.FIRST_RUN, verdict(behind(known), down("10.0.0.1"), primary("10.0.0.2", 1, null)));
    }

    private Server withoutTimeline(String host) {
      return new Server(CLUSTER, startedAt(host), null, Lsn.of("0/4000000"), false);
    }

    private LastPublished behind(PublishedPrimary primary) {
      return new LastPublished(
          primary, CLUSTER, Set.of(primary.endpoint()), Set.of(), 0, false, List.of());
    }

    @Test
    void refusesAFirstRunWithTooFewServersOrAStandbyAhead() {
      assertRefused(
          Rule.FIRST_RUN,
          verdict(nothingPublished(), primary("10.0.0.1", 1, null), down("10.0.0.2")));
      assertRefused(
          Rule.FIRST_RUN,
          verdict(
              nothingPublished(),
              primary("10.0.0.1", 1, null),
              standby("10.0.0.2", 2, "0/6000000", SECOND)));
    }

    @Test
    void refusesATwinThoughItIsAlone() {
      Verdict verdict = verdict(published, down("10.0.0.1"), primary("10.0.0.2", 2, SECOND));

      assertRefused(Rule.PROMOTED_APART, verdict);
      assertTrue(says(verdict, "overrule 10.0.0.2:5432"));
    }

    @Test
    void refusesWhatIsNotProven() {
      Verdict verdict =
          verdict(
              published,
              down("10.0.0.1"),
              without(primary("10.0.0.2", 3, THIRD), ALL, HistoryAnswer.failed("timeout")));

      assertRefused(Rule.UNPROVEN, verdict);
      assertTrue(says(verdict, "overrule 10.0.0.2:5432"));
    }

    @Test
    void refusesAPrimaryThatAStandbyHasLeftBehind() {
      String fourth = THIRD + "3\t0/4800000\tx\n";

      Verdict verdict =
          verdict(
              published,
              down("10.0.0.1"),
              primary("10.0.0.2", 3, THIRD),
              standby("10.0.0.3", 4, "0/4900000", fourth));

      assertRefused(Rule.NEWER_LINE, verdict);
      assertTrue(says(verdict, "overrule 10.0.0.2:5432"));
    }

    @Test
    void keepsThePublishedPrimaryThatAStandbyHasLeftBehind() {
      Verdict verdict =
          verdict(
              published,
              primary("10.0.0.1", 2, SECOND),
              standby("10.0.0.3", 3, "0/4900000", THIRD));

      assertVerified("10.0.0.1", verdict);
      assertTrue(verdict.hasErrors() && says(verdict, "newer line"));
      assertEquals(List.of(), verdict.readOnly().members());
    }

    @Test
    void takesNothingFromAnUnknownAlias() {
      NodeState published1 = primary("10.0.0.1", 2, SECOND);
      NodeState alias =
          NodeState.answered(node("10.0.0.9"), State.PRIMARY, "10.0.0.9", published1.server());

      Verdict verdict = verdict(published, alias, published1);

      assertVerified("10.0.0.1", verdict);
      assertEquals(List.of("10.0.0.1:5432"), verdict.publishing().entries());
      assertTrue(verdict.hasErrors() && says(verdict, "unknown alias"));
      assertEquals(Map.of(), verdict.standbys());
    }

    /** Otherwise, a server at that address could block the Services by a false history. */
    @Test
    void takesNoHistoryFromAnUnknownAlias() {
      NodeState published2 = Nodes.primary("10.0.0.2", server("10.0.0.2", 2, "0/5000000", SECOND));
      Server unread = published2.server().with((HistoryAnswer) null);
      Topology topology =
          topology(Nodes.primary("10.0.0.1", unread), Nodes.primary("10.0.0.2", unread));
      Topology told =
          Nodes.withHistories(
              topology,
              node ->
                  node.node().equals(node("10.0.0.1"))
                      ? HistoryAnswer.read(History.of(2, "1\t0/9\tno reason\n"))
                      : published2.server().history());

      Verdict verdict = verdict(published("10.0.0.2", 2, "0/2000000"), told);

      assertVerified("10.0.0.2", verdict);
      assertTrue(says(verdict, "unknown alias"));
    }

    @Test
    void keepsARivalAccountedForUnderAnUnknownAlias() {
      // The published server answers only at its other address, beside a successor.
      NodeState published1 = primary("10.0.0.1", 2, SECOND);
      NodeState alias =
          NodeState.answered(node("10.0.0.9"), State.PRIMARY, "10.0.0.9", published1.server());
      verdict(published, after(0, alias, primary("10.0.0.2", 3, THIRD)));

      assertVerified(
          "10.0.0.1",
          verdict(
              published, after(5, alias, published1, standby("10.0.0.2", 2, "0/4000000", SECOND))));
    }

    @Test
    void resetsReadWriteFromADeadBranch() {
      LastPublished edited =
          new LastPublished(
              published.primary(), CLUSTER, Set.of("10.0.0.2:5432"), Set.of(), 0, false, List.of());

      Verdict verdict = verdict(edited, down("10.0.0.1"), primary("10.0.0.2", 1, null));

      assertRefused(Rule.NO_PRIMARY, verdict);
      assertEquals("10.0.0.1:5432", verdict.repair());
      assertNull(verdict(published, down("10.0.0.1")).repair());
    }
  }
}
