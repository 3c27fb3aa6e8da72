package io.github.pgendpoints.simulation;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Tables;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever damages a table of the decision is found out by the simulation. */
class MutantsTest {
  private static final long MAX_STEPS = 400_000;

  static Stream<String> damaged() {
    return Tables.mutants().stream()
        .map(Tables.Mutant::name)
        .filter(name -> !Mutants.EQUIVALENT.containsKey(name));
  }

  @ParameterizedTest
  @MethodSource("damaged")
  void breaksAnInvariant(String name) {
    Tables.Mutant mutant =
        Tables.mutants().stream()
            .filter(each -> each.name().equals(name))
            .findFirst()
            .orElseThrow();

    assertNotNull(Simulation.search(mutant.decision(), 1, MAX_STEPS), "it survived");
  }

  @Test
  void areAllKnownByName() {
    List<String> names = Tables.mutants().stream().map(Tables.Mutant::name).toList();
    Map<String, String> equivalent = Mutants.EQUIVALENT;

    assertTrue(names.containsAll(equivalent.keySet()), equivalent.keySet().toString());
  }
}
