package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Row.row;

import java.util.List;

/**
 * The one decision of the program: where writes and reads go, from what is published, what is
 * remembered and what the nodes answered. Nothing else is asked, neither a clock nor the network,
 * and nothing is changed. docs/rules.md gives the reason for each row.
 */
public record Decision(
    List<Row<PrimaryClass, PrimaryCase>> primaries,
    List<Row<StandbyClass, StandbyCase>> standbys,
    List<Row<Rule, Situation>> rules) {
  /** More promotions than this are not believed while nothing but a number tells of them. */
  static final int CREDIBLE_JUMP = 100;

  /** The first row that matches decides. */
  static final List<Row<Rule, Situation>> RULES =
      List.of(
          row(Rule.UNREADABLE, now -> !now.published().faults().isEmpty()),
          row(Rule.NO_MAJORITY, now -> now.topology().isOfSeveralClusters()),
          row(Rule.SPLIT_BRAIN, now -> now.candidates().size() > 1),
          row(Rule.NO_PRIMARY, now -> now.candidates().isEmpty()),
          row(Rule.SPLIT_BRAIN_LASTS, now -> !now.unaccountedRivals().isEmpty()),
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
   * A verdict, and what the next cycle has to remember.
   *
   * @param memory before anything is published; {@link Memory#publishing} is after it
   */
  public record Outcome(Verdict verdict, Memory memory) {}

  /**
   * Decides on one cycle.
   *
   * @param published what the objects of both Services say
   * @param memory of the cycles before
   * @param topology of this cycle, with foreign nodes marked and histories read
   */
  public static Outcome decide(
      LastPublished published, Memory memory, Topology topology, DecisionSettings settings) {
    return STANDARD.on(published, memory, topology, settings);
  }

  Outcome on(LastPublished published, Memory memory, Topology topology, DecisionSettings settings) {
    LastPublished complete = memory.completed(published);
    Memory known = memory.asOf(published, topology.at(), settings.stateAge());
    Situation now = Situation.of(complete, known, topology.identifiedBy(complete), settings, this);
    Rule rule = Row.first(rules, now);
    Memory next = now.rememberedAfter(rule);
    return new Outcome(now.verdict(rule), next);
  }
}
