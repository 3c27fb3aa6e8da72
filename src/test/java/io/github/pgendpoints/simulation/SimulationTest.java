package io.github.pgendpoints.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Tables;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** The decision against a model that knows the truth; docs/simulation.md says what is checked. */
class SimulationTest {
  private static final long STEPS = 1_000_000;
  private static long steps;

  @BeforeContainer
  static void count() {
    steps = 0;
  }

  /** One sequence of actions and cycles; jqwik shortens those that break an invariant. */
  @Property(tries = 15_000, seed = "20261128", shrinking = ShrinkingMode.FULL)
  void breaksNoInvariant(@ForAll("setups") long setup, @ForAll("sequences") int[] sequence) {
    steps += Run.of(Tables.standard(), setup, sequence);
  }

  @Provide
  Arbitrary<Long> setups() {
    return Arbitraries.longs().between(0, 1_000_000).withoutEdgeCases();
  }

  @Provide
  Arbitrary<int[]> sequences() {
    return Arbitraries.integers()
        .withoutEdgeCases()
        .array(int[].class)
        .ofSize(Simulation.LENGTH)
        .withoutEdgeCases();
  }

  @AfterContainer
  static void wasLongEnough() {
    assertTrue(steps >= STEPS, steps + " steps");
  }
}
