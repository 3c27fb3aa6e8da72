package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.Tables;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Runs random sequences until one breaks an invariant. */
final class Simulation {
  static final int LENGTH = 60;

  private Simulation() {}

  /** A sequence that broke an invariant. */
  record Counterexample(long seed, int[] sequence, RuntimeException failure, long steps) {}

  /** Returns the sequence for a seed. */
  static int[] sequence(long seed) {
    SplittableRandom random = new SplittableRandom(seed ^ 0x5DEECE66DL);
    return random.ints(LENGTH).toArray();
  }

  /** Runs seeds from the first one on; returns null if this many steps break no invariant. */
  static Counterexample search(Decision tables, long firstSeed, long maxSteps) {
    long steps = 0;
    for (long seed = firstSeed; steps < maxSteps; seed++) {
      int[] sequence = sequence(seed);
      try {
        steps += Run.of(tables, seed, sequence);
      } catch (RuntimeException e) {
        return new Counterexample(seed, sequence, e, steps + LENGTH);
      }
    }
    return null;
  }

  /** Returns a shorter sequence that breaks the same invariant. */
  static int[] shrunk(Decision tables, Counterexample found) {
    String invariant = kind(found.failure());
    List<Integer> steps = new ArrayList<>();
    for (int step : found.sequence()) {
      steps.add(step);
    }
    for (int size = steps.size() / 2; size > 0; size /= 2) {
      boolean shorter = true;
      while (shorter) {
        shorter = false;
        for (int from = 0; from + size <= steps.size(); from++) {
          List<Integer> fewer = new ArrayList<>(steps);
          fewer.subList(from, from + size).clear();
          if (fails(tables, found.seed(), fewer, invariant)) {
            steps = fewer;
            shorter = true;
            from--;
          }
        }
      }
    }
    return steps.stream().mapToInt(Integer::intValue).toArray();
  }

  private static boolean fails(Decision tables, long seed, List<Integer> steps, String invariant) {
    try {
      Run.of(tables, seed, steps.stream().mapToInt(Integer::intValue).toArray());
      return false;
    } catch (RuntimeException e) {
      return kind(e).equals(invariant);
    }
  }

  static String kind(RuntimeException failure) {
    return failure instanceof Violation
        ? failure.getMessage().substring(0, failure.getMessage().indexOf(':'))
        : failure.getClass().getSimpleName();
  }

  /** Prints which invariant each mutant breaks, and after how many steps. */
  private static void mutants(long seed, long maxSteps) {
    System.out.println("| Table with one change | Killed by | Steps |");
    System.out.println("| --- | --- | --- |");
    for (Tables.Mutant mutant : Tables.mutants()) {
      String reason = Mutants.EQUIVALENT.get(mutant.name());
      Counterexample found = search(mutant.decision(), seed, maxSteps);
      System.out.printf(
          "| %s | %s | %s |%n",
          mutant.name(),
          found != null ? kind(found.failure()) : reason != null ? "equivalent: " + reason : "-",
          found == null ? "" : found.steps());
    }
  }

  /** Runs the number of steps in the property simulation.steps, or the mutants. */
  public static void main(String[] arguments) {
    long steps = Long.getLong("simulation.steps", 1_000_000);
    long seed = Long.getLong("simulation.seed", 1);
    if (Boolean.getBoolean("simulation.mutants")) {
      mutants(seed, steps);
      return;
    }
    long start = System.nanoTime();
    Counterexample found = search(Tables.standard(), seed, steps);
    double seconds = (System.nanoTime() - start) / 1e9;
    double cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    if (found == null) {
      System.out.printf(
          "%,d steps from seed %d, and no invariant was broken: %.0f s, of which %.0f s on a processor, %,.0f steps a second of that%n",
          steps, seed, seconds, cpu, steps / cpu);
      return;
    }
    System.out.printf(
        "seed %d after %,d steps: %s%n", found.seed(), found.steps(), found.failure());
    int[] shortest = shrunk(Tables.standard(), found);
    Run.traced(Tables.standard(), found.seed(), shortest).forEach(System.out::println);
    System.exit(1);
  }
}
