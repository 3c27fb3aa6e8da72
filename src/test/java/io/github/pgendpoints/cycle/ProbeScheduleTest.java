package io.github.pgendpoints.cycle;

import static io.github.pgendpoints.topology.Nodes.down;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static io.github.pgendpoints.topology.Nodes.topology;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Topology;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProbeScheduleTest {
  private static final Topology WELL = topology(primary("db1", 1), standby("db2"));
  private static final Topology PRIMARY_LOST = topology(down("db1"), standby("db2"));
  private static final Topology PROMOTED = topology(down("db1"), primary("db2", 2));

  private long millis = -3;

  /** The milliseconds that pass at each reading of the clock. */
  private long passing;

  private boolean nodesReport;
  private int ticks;
  private boolean leads = true;
  private int term = 1;
  private final ProbeSchedule schedule =
      new ProbeSchedule(
          Duration.ofSeconds(1),
          Duration.ofMillis(100),
          () -> leads,
          () -> term,
          () -> nodesReport,
          () -> ticks++,
          () -> (millis += passing) * 1_000_000);

  @Test
  void beginsWithTheFirstTick() {
    assertTrue(cycle(WELL, false));
    assertFalse(schedule.isDue());
  }

  @Test
  void staysDueUntilACycleBegins() {
    allIsWell();
    millis += 100;
    schedule.requestCycle();
    assertEquals(1, ticks);
    assertTrue(schedule.isDue());
    assertTrue(schedule.isDue());

    assertTrue(cycle(WELL, false));
    assertFalse(schedule.isDue());
  }

  @Test
  void repeatsACycleOnceAtTheNextTick() {
    allIsWell();
    schedule.repeat();
    assertTrue(cycle(WELL, false));
    assertFalse(schedule.isDue());
  }

  @Test
  void isNeverDueOnceItHasStopped() {
    schedule.stop();
    assertFalse(schedule.isDue());
  }

  @Test
  void waitsForTheEndOfACycleForAWhile() throws InterruptedException {
    passing = 100;
    schedule.begin();
    assertFalse(schedule.awaitEnd(Duration.ofSeconds(2)));
    assertTrue(millis >= 2000, "waited until " + millis + " ms");

    schedule.end();
    assertTrue(schedule.awaitEnd(Duration.ofDays(1)));
  }

  @Test
  void beginsNoCycleBeforeTheOneBeforeHasEnded() {
    schedule.begin();
    millis += 5000;
    assertFalse(schedule.isDue());

    schedule.conclude(WELL, false);
    assertFalse(schedule.isDue());
    schedule.end();
    assertTrue(schedule.isDue());
  }

  @Test
  void asksEachIntervalWhileAllIsWell() {
    assertEquals(60, cyclesIn(Duration.ofMinutes(1), WELL, false));
  }

  @Test
  void asksOnceAnIntervalAlsoWhenTheTicksAreNotQuiteOnTime() {
    cycle(WELL, false);
    for (int i = 0; i < 20; i++) {
      millis += i % 2 == 0 ? 999 : 1001;
      assertTrue(cycle(WELL, false));
      millis -= 1;
      assertFalse(schedule.isDue());
      millis += 1;
    }
  }

  @Test
  void asksAtEachTickFromAChangeUntilItHasBeenStable() {
    allIsWell();
    assertEquals(0, cyclesIn(Duration.ofMillis(400), PROMOTED, false));

    assertEquals(1, cyclesIn(Duration.ofMillis(100), PROMOTED, false));
    assertEquals(49, cyclesIn(ProbeSchedule.SETTLED.minusMillis(100), PROMOTED, false));
    assertEquals(10, cyclesIn(Duration.ofSeconds(10), PROMOTED, false));
  }

  @Test
  void asksAtOnceAndAtEachTickAfterTheReportOfAServer() {
    allIsWell();
    millis += 100;
    assertFalse(schedule.isDue());

    schedule.requestCycleByServer();
    assertEquals(1, ticks);
    assertTrue(schedule.isDue());
    assertTrue(cycle(WELL, false));
    assertEquals(49, cyclesIn(ProbeSchedule.SETTLED.minusMillis(1), WELL, false));
  }

  @Test
  void doesNotAskAtEachTickWhileTheServersReport() {
    allIsWell();
    nodesReport = true;
    schedule.requestCycleByServer();
    assertEquals(5, cyclesIn(Duration.ofSeconds(5), PRIMARY_LOST, true));

    nodesReport = false;
    assertTrue(schedule.isUnstable());
    assertEquals(10, cyclesIn(Duration.ofSeconds(1), PRIMARY_LOST, true));
  }

  /** The check of DOWN nodes runs as often as cycles do. */
  @Test
  void goesAtThePaceOfTheTicksWhileSomethingChanges() {
    allIsWell();
    assertEquals(Duration.ofSeconds(1), schedule.pace());
    cyclesIn(Duration.ofMillis(600), PROMOTED, false);
    assertEquals(Duration.ofMillis(100), schedule.pace());
    leads = false;
    assertEquals(Duration.ofSeconds(10), schedule.pace());

    leads = true;
    cyclesIn(ProbeSchedule.SETTLED, PROMOTED, false);
    assertEquals(Duration.ofSeconds(1), schedule.pace());
  }

  @Test
  void isUrgentWhileTheLeaderExpectsAChangeAndGoesOn() {
    allIsWell();
    assertFalse(schedule.isUrgent());
    cyclesIn(Duration.ofMillis(600), PROMOTED, false);
    assertTrue(schedule.isUrgent());
    leads = false;
    assertFalse(schedule.isUrgent());
    leads = true;
    schedule.stop();
    assertFalse(schedule.isUrgent());
  }

  @Test
  void asksAtOnceAndOnceWhenACycleIsRequested() {
    allIsWell();
    millis += 100;
    assertFalse(schedule.isDue());

    schedule.requestCycle();
    assertTrue(cycle(WELL, false));
    millis += 100;
    assertFalse(schedule.isDue());
  }

  @Test
  void asksOnceAfterATime() {
    allIsWell();
    schedule.requestCycleIn(Duration.ofMillis(250));
    millis += 200;
    assertFalse(schedule.isDue());

    millis += 100;
    assertTrue(cycle(WELL, false));
    millis += 100;
    assertFalse(schedule.isDue());
  }

  /** Another writer undoes each repair at once. */
  @Test
  void limitsRequestsAfterABurstUntilARest() {
    allIsWell();
    assertEquals(ProbeSchedule.MAX_REQUESTED_CYCLES + 9, requestedEachTick(Duration.ofSeconds(10)));
    assertEquals(60, requestedEachTick(Duration.ofMinutes(1)));

    cyclesIn(ProbeSchedule.SETTLED.plusSeconds(1), WELL, false);
    assertEquals(ProbeSchedule.MAX_REQUESTED_CYCLES, requestedEachTick(Duration.ofSeconds(1)));
  }

  private int requestedEachTick(Duration time) {
    int cycles = 0;
    for (long end = millis + time.toMillis(); millis < end; ) {
      schedule.requestCycle();
      millis += 100;
      cycles += cycle(WELL, false) ? 1 : 0;
    }
    return cycles;
  }

  @Test
  void aRequestBeforeTheFirstCycleMakesNoSecondOneDue() {
    schedule.requestCycle();
    assertTrue(cycle(WELL, false));
    assertFalse(schedule.isDue());
  }

  @Test
  void asksAtEachTickWhileTheTopologyIsRefused() {
    assertEquals(600, cyclesIn(Duration.ofMinutes(1), PRIMARY_LOST, true));
  }

  @Test
  void probesRarelyAfterALongRefusal() {
    cyclesIn(
        ProbeSchedule.MAX_UNSETTLED.plus(ProbeSchedule.SETTLED).plusSeconds(1), PRIMARY_LOST, true);
    assertEquals(600, cyclesIn(Duration.ofMinutes(10), PRIMARY_LOST, true));

    Topology changed = topology(down("db1"), down("db2"));
    cyclesIn(Duration.ofSeconds(1), changed, true);
    assertEquals(600, cyclesIn(Duration.ofMinutes(1), changed, true));
  }

  @Test
  void leavesANodeInPeaceThatComesAndGoesAllTheTime() {
    comesAndGoes(ProbeSchedule.MAX_UNSETTLED.plusSeconds(1));
    int cycles = comesAndGoes(Duration.ofMinutes(1));
    assertEquals(60, cycles);

    cyclesIn(Duration.ofSeconds(10), WELL, false);
    assertTrue(comesAndGoes(Duration.ofMinutes(1)) > 500);
  }

  private int comesAndGoes(Duration time) {
    int cycles = 0;
    for (long end = millis + time.toMillis(); millis < end; ) {
      millis += 100;
      cycles += cycle(cycles % 2 == 0 ? WELL : PRIMARY_LOST, false) ? 1 : 0;
    }
    return cycles;
  }

  @Test
  void asksAtTheIntervalWhenTheApiFails() {
    cycle(WELL, false);
    assertEquals(60, cyclesIn(Duration.ofMinutes(1), null, false));
  }

  /** A cycle that could not begin, because the API failed, does not show that nodes changed. */
  @Test
  void takesNoCycleWithoutATopologyForAChange() {
    cycle(WELL, false);
    cycle(null, false);
    assertEquals(60, cyclesIn(Duration.ofMinutes(1), WELL, false));
  }

  @ParameterizedTest
  @CsvSource({
    "1000, 100, 100",
    "1000, 300, 333",
    "250, 100, 125",
    "100, 100, 100",
    "50, 20, 25",
    "3600000, 100, 100"
  })
  void ticksAtAPartOfTheInterval(int interval, int unstable, int tick) {
    ProbeSchedule other =
        new ProbeSchedule(
            Duration.ofMillis(interval),
            Duration.ofMillis(unstable),
            () -> true,
            () -> 1,
            () -> false,
            () -> {},
            () -> millis);
    assertEquals(tick, other.tick().toMillis());
  }

  @Test
  void aFollowerAsksEachTenSecondsWhateverHappens() {
    leads = false;
    assertTrue(cycle(WELL, false));
    assertEquals(5, cyclesIn(Duration.ofSeconds(50), PRIMARY_LOST, true));
    schedule.requestCycle();
    schedule.requestCycleByServer();
    assertEquals(6, cyclesIn(Duration.ofMinutes(1), PROMOTED, false));
    assertEquals(Duration.ofSeconds(10), schedule.interval());
  }

  @Test
  void newLeaderProbesImmediately() {
    leads = false;
    cycle(WELL, false);
    millis += 500;
    assertFalse(cycle(WELL, false));

    leads = true;
    term++;
    assertTrue(cycle(WELL, false));
    assertFalse(cycle(WELL, false));
    assertEquals(Duration.ofSeconds(1), schedule.interval());
  }

  @Test
  void asksAtOnceInANewTermAlsoWhenNoCycleSawTheOldOneEnd() {
    allIsWell();
    term++;
    assertTrue(cycle(WELL, false));
    assertFalse(schedule.isDue());
  }

  /** Runs cycles without a change, and ends half a second after a cycle. */
  private void allIsWell() {
    cyclesIn(Duration.ofMillis(9_600), WELL, false);
  }

  /** Returns how many cycles begin in this time. Each cycle finds the same. */
  private int cyclesIn(Duration time, Topology found, boolean refused) {
    int cycles = 0;
    for (long end = millis + time.toMillis(); millis < end; ) {
      millis += 100;
      cycles += cycle(found, refused) ? 1 : 0;
    }
    return cycles;
  }

  private boolean cycle(Topology found, boolean refused) {
    boolean due = schedule.isDue();
    if (due) {
      schedule.begin();
      schedule.conclude(found, refused);
      schedule.end();
    }
    return due;
  }
}
