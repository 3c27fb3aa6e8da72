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
  private final AbsentNodes nodes = AbsentNodes.remembered(woken::incrementAndGet);

  @Test
  void onlyADownNodeIsAbsent() {
    nodes.note(down("db2"));
    nodes.note(standby("db1"));
    nodes.note(unknown("db3"));

    assertTrue(nodes.isAbsent(DB2));
    assertFalse(nodes.isAbsent(node("db1")));
    assertFalse(nodes.isAbsent(node("db3")));
    assertEquals(0, woken.get());
  }

  @Test
  void isAskedOnceAtATime() {
    nodes.note(down("db2"));

    assertTrue(nodes.begins(DB2));
    assertFalse(nodes.begins(DB2));
    nodes.ended(DB2);
    assertTrue(nodes.begins(DB2));
  }

  @Test
  void staysWhatItWasWhileItsProbeTakesItsTime() {
    NodeState lost = down("db2");
    nodes.note(lost);
    nodes.begins(DB2);

    assertSame(lost, nodes.await(DB2, OVER));
  }

  @Test
  @Timeout(20)
  void tellsWhatItsProbeFindsWhileThereIsPatience() {
    NodeState again = down("db2");
    nodes.note(down("db2"));
    nodes.begins(DB2);
    CompletableFuture.runAsync(
        () -> {
          nodes.note(again);
          nodes.ended(DB2);
        });

    assertSame(again, nodes.await(DB2, LONG));
  }

  @Test
  void isAskedInTheCycleOnceItIsBack() {
    nodes.note(down("db2"));
    nodes.begins(DB2);
    nodes.note(standby("db2"));
    nodes.ended(DB2);

    assertNull(nodes.await(DB2, OVER));
    assertFalse(nodes.isAbsent(DB2));
    assertEquals(1, woken.get());
  }

  @Test
  void isAskedInTheCycleWhenItsProbeFailed() {
    nodes.note(down("db2"));
    nodes.begins(DB2);
    nodes.failed(DB2);
    nodes.ended(DB2);

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
    assertTrue(nodes.patience(LONG).remainingMillis() <= 20);
    assertTrue(nodes.isAbsent(node("db3")));
  }

  @Test
  void isAskedInTheCycleAfterAnotherOneCameBack() {
    nodes.note(down("db2"));
    nodes.note(down("db3"));
    nodes.begins(DB2);
    nodes.note(standby("db3"));
    nodes.patience(LONG);

    assertSame(down("db2").state(), nodes.await(DB2, OVER).state(), "never two probes at once");
    nodes.ended(DB2);
    assertFalse(nodes.begins(DB2));
    assertNull(nodes.await(DB2, OVER));

    nodes.patience(LONG);
    assertTrue(nodes.begins(DB2));
    assertEquals(down("db2"), nodes.await(DB2, OVER));
  }

  @Test
  void remembersNothingInARunOfOneCycle() {
    AbsentNodes none = AbsentNodes.none();
    none.note(down("db2"));
    assertFalse(none.isAbsent(DB2));
  }
}
