package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The three tables of the decision, intact and damaged, for the simulation. */
public final class Tables {
  private static final Decision STANDARD =
      new Decision(PrimaryCase.TABLE, StandbyCase.TABLE, Decision.RULES);

  private Tables() {}

  /**
   * A decision with one table damaged.
   *
   * @param name the damage and the row that it affects
   * @param decision the decision with the damaged table
   */
  public record Mutant(String name, Decision decision) {}

  /** Returns the decision of the program. */
  public static Decision standard() {
    return STANDARD;
  }

  /** Decides with the given tables. */
  public static Decision.Outcome decide(
      Decision tables,
      LastPublished published,
      Memory memory,
      Topology topology,
      DecisionSettings settings) {
    return tables.on(published, memory, topology, settings);
  }

  /** Returns a decision for each row that is removed and each pair of neighbours swapped. */
  public static List<Mutant> mutants() {
    List<Mutant> mutants = new ArrayList<>();
    damaged(PrimaryCase.TABLE)
        .forEach(
            (name, table) ->
                mutants.add(
                    new Mutant(
                        "primary: " + name,
                        new Decision(table, StandbyCase.TABLE, Decision.RULES))));
    damaged(StandbyCase.TABLE)
        .forEach(
            (name, table) ->
                mutants.add(
                    new Mutant(
                        "standby: " + name,
                        new Decision(PrimaryCase.TABLE, table, Decision.RULES))));
    damaged(Decision.RULES)
        .forEach(
            (name, table) ->
                mutants.add(
                    new Mutant(
                        "rule: " + name,
                        new Decision(PrimaryCase.TABLE, StandbyCase.TABLE, table))));
    return mutants;
  }

  private static <T, C> Map<String, List<TableRow<T, C>>> damaged(List<TableRow<T, C>> table) {
    Map<String, List<TableRow<T, C>>> all = new java.util.LinkedHashMap<>();
    for (int i = 0; i < table.size(); i++) {
      List<TableRow<T, C>> shorter = new ArrayList<>(table);
      shorter.remove(i);
      all.put("without " + table.get(i).result(), List.copyOf(shorter));
    }
    for (int i = 0; i + 1 < table.size(); i++) {
      List<TableRow<T, C>> swapped = new ArrayList<>(table);
      swapped.set(i, table.get(i + 1));
      swapped.set(i + 1, table.get(i));
      all.put(table.get(i + 1).result() + " before " + table.get(i).result(), List.copyOf(swapped));
    }
    return all;
  }
}
