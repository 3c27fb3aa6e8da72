package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.node;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class AbsentNodesTest {
  private static final Node DB2 = node("db2");
  private static final Deadline OVER = Deadline.in(Duration.ZERO);
  private static final Deadline LONG = Deadline.in(Duration.ofSeconds(30));

  private final AtomicInteger woken = new AtomicInteger();
  private long now;
  private final AbsentNodes nodes =
      AbsentNodes.remembered(
          woken::incrementAndGet, Duration.ofSeconds(5), () -> Duration.ofSeconds(1), () -> now);

  @Test
  void onlyADownNodeIsAbsent() {
    nodes.note(down("db2"));
    nodes.note(standby("db1"));
    nodes.note(unknown("db3"));
    assertFalse(nodes.isAbsent(DB2), "in this cycle it was asked");

    nodes.patience(LONG);
    assertTrue(nodes.isAbsent(DB2));
    assertFalse(nodes.isAbsent(node("db1")));
    assertFalse(nodes.isAbsent(node("db3")));
    assertEquals(0, woken.get());
  }

  @Test
  void isAskedOnceAtATime() {
    begin(down("db2"));

    assertTrue(nodes.begins(DB2));
    assertFalse(nodes.begins(DB2));
    nodes.note(down("db2"));
    assertFalse(nodes.begins(DB2));
    nodes.ended(DB2);
    assertTrue(nodes.begins(DB2));
  }

  @Test
  void staysWhatItWasWhileItsProbeTakesItsTime() {
    NodeState lost = down("db2");
    begin(lost);
    nodes.begins(DB2);

    assertSame(lost, nodes.await(DB2, OVER));
  }

  @Test
  @Timeout(20)
  void tellsWhatItsProbeFindsWhileThereIsPatience() {
    NodeState again = down("db2");
    begin(down("db2"));
    nodes.begins(DB2);
    CompletableFuture.runAsync(
        () -> {
          nodes.note(again);
          nodes.ended(DB2);
        });

    assertSame(again, nodes.await(DB2, LONG));
  }

  /**
   * Else it would be judged while the others that are about to be back, such as the true primary,
   * still count as DOWN.
   */
  @Test
  void isDownToTheCycleInWhichItComesBackAndAskedByTheNext() {
    NodeState lost = down("db2");
    begin(lost);
    nodes.begins(DB2);
    nodes.note(standby("db2"));
    nodes.ended(DB2);

    assertTrue(nodes.isAbsent(DB2));
    assertFalse(nodes.begins(DB2), "the next cycle asks it itself");
    assertSame(lost, nodes.await(DB2, OVER));
    assertEquals(1, woken.get());

    assertSame(LONG, nodes.patience(LONG));
    assertFalse(nodes.isAbsent(DB2));
  }

  @Test
  void isAskedByTheNextCycleWhenItsProbeFailed() {
    begin(down("db2"));
    nodes.begins(DB2);
    nodes.failed(DB2);
    nodes.ended(DB2);

    nodes.patience(LONG);
    assertFalse(nodes.isAbsent(DB2));
    assertEquals(1, woken.get());
  }

  @Test
  void hasLittlePatienceButInTheCycleAfterOneCameBack() {
    assertTrue(nodes.patience(LONG).remainingMillis() <= 20);

    nodes.note(down("db2"));
    nodes.note(down("db3"));
    nodes.note(standby("db2"));
    assertSame(LONG, nodes.patience(LONG));
    assertTrue(nodes.isAbsent(node("db3")));
    assertTrue(nodes.patience(LONG).remainingMillis() <= 20);
  }

  @Test
  void isAskedInTheCycleAfterAnotherOneCameBack() {
    NodeState lost = down("db2");
    nodes.note(down("db3"));
    begin(lost);
    nodes.begins(DB2);
    nodes.note(standby("db3"));
    nodes.patience(LONG);

    assertSame(lost, nodes.await(DB2, OVER), "never two probes at once");
    nodes.ended(DB2);
    assertFalse(nodes.begins(DB2));
    assertNull(nodes.await(DB2, OVER));

    nodes.patience(LONG);
    assertTrue(nodes.begins(DB2));
    assertSame(lost, nodes.await(DB2, OVER));
  }

  @Test
  void aProbeThatDoesNotEndInTwiceItsTimeHasEnded() {
    begin(down("db2"));
    assertTrue(nodes.begins(DB2));
    pass(Duration.ofMillis(9_999));
    nodes.note(down("db2"));
    assertFalse(nodes.begins(DB2));

    pass(Duration.ofMillis(2));
    assertTrue(nodes.begins(DB2));
    nodes.ended(DB2);
    nodes.ended(DB2);
    assertTrue(nodes.begins(DB2));
  }

  @Test
  @Timeout(20)
  void nobodyWaitsForAProbeThatHasToHaveEnded() {
    begin(down("db2"));
    nodes.begins(DB2);
    pass(Duration.ofSeconds(11));

    nodes.await(DB2, LONG);
  }

  @Test
  void whatWasFoundLongAgoIsFoundAnew() {
    nodes.note(down("db2"));
    pass(Duration.ofSeconds(7));
    nodes.patience(LONG);
    assertTrue(nodes.isAbsent(DB2));

    pass(Duration.ofMillis(1));
    nodes.patience(LONG);
    assertFalse(nodes.isAbsent(DB2));
  }

  @Test
  void aNewTermAsksEveryNode() {
    nodes.note(down("db2"));
    begin(down("db3"));
    nodes.begins(node("db3"));
    nodes.forget();

    assertSame(LONG, nodes.patience(LONG), "a probe that is under way gets its time");
    assertFalse(nodes.isAbsent(DB2));
    nodes.ended(node("db3"));
    assertNull(nodes.await(node("db3"), LONG), "and then the cycle asks");
  }

  @Test
  void remembersNothingInARunOfOneCycle() {
    AbsentNodes none = AbsentNodes.none();
    none.note(down("db2"));
    none.patience(LONG);
    assertFalse(none.isAbsent(DB2));
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  /** A cycle begins in which this node was DOWN. */
  private void begin(NodeState lost) {
    nodes.note(lost);
    nodes.patience(LONG);
  }
}
