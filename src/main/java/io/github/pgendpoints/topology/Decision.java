package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.TableRow.row;

import java.util.List;

/**
 * Decides where writes and reads go, from what is published, what earlier cycles remembered and
 * what the nodes answered. The decision uses neither a clock nor the network, and it changes
 * nothing. docs/rules.md gives the reason for each row.
 */
public record Decision(
    List<TableRow<PrimaryClass, PrimaryCase>> primaries,
    List<TableRow<StandbyClass, StandbyCase>> standbys,
    List<TableRow<Rule, Situation>> rules) {
  /** The largest increase of a timeline number that counts as a promotion without a history. */
  static final int CREDIBLE_JUMP = 100;

  /** The first row that matches decides. */
  static final List<TableRow<Rule, Situation>> RULES =
      List.of(
          row(Rule.UNREADABLE, now -> !now.published().faults().isEmpty()),
          row(Rule.NO_MAJORITY, now -> now.topology().isOfSeveralClusters()),
          row(Rule.SPLIT_BRAIN, now -> now.candidates().size() > 1),
          row(Rule.NO_PRIMARY, now -> now.candidates().isEmpty()),
          row(Rule.SPLIT_BRAIN_LASTS, now -> !new Rivals(now).unaccounted().isEmpty()),
          row(Rule.QUORUM, now -> now.reachable() < now.quorum()),
          row(Rule.FIRST_RUN, now -> now.isFirstRun() && !now.isEnoughToBeginWith()),
          row(Rule.PROMOTED_APART, now -> now.candidateIs(PrimaryClass.TWIN)),
          row(
              Rule.UNPROVEN,
              now -> now.candidateIs(PrimaryClass.UNPROVEN) && !now.mayNumbersDecide()),
          row(
              Rule.NEWER_LINE,
              now -> !now.candidateIs(PrimaryClass.PUBLISHED) && !now.onNewerLine().isEmpty()),
          row(Rule.VERIFIED, now -> true));

  private static final Decision STANDARD =
      new Decision(PrimaryCase.TABLE, StandbyCase.TABLE, RULES);

  /**
   * A verdict, and the memory for the next cycle.
   *
   * @param memory before the publication; {@link Memory#publishing} returns the one after it
   */
  public record Outcome(Verdict verdict, Memory memory) {}

  /**
   * Decides on one cycle.
   *
   * @param published what the objects of both Services store
   * @param memory the memory of earlier cycles
   * @param topology the topology of this cycle, with foreign nodes marked and histories read
   */
  public static Outcome decide(
      LastPublished published, Memory memory, Topology topology, DecisionSettings settings) {
    return STANDARD.on(published, memory, topology, settings);
  }

  Outcome on(LastPublished published, Memory memory, Topology topology, DecisionSettings settings) {
    LastPublished complete = memory.completed(published);
    Memory known = memory.asOf(published, topology.at(), settings.stateAge());
    Situation now = Situation.of(complete, known, topology.identifiedBy(complete), settings, this);
    Rule rule = TableRow.first(rules, now);
    Memory next = now.rememberedAfter(rule);
    return new Outcome(now.verdict(rule), next);
  }
}
