package io.github.pgendpoints.simulation;

import java.util.Map;

/** Known results for the mutants, which are decision tables with one change. */
final class Mutants {
  /** The mutants that decide exactly as the original tables do, each with the reason. */
  static final Map<String, String> EQUIVALENT =
      Map.of(
          "primary: published before no-timeline",
          "one tells its timeline, the other does not",
          "primary: taken-over before published",
          "where both match, both may take RW, and RW is there already",
          "primary: moved before taken-over",
          "one needs a listed published entry, the other needs none",
          "primary: successor before dead-branch",
          "a history that contains the line is of a higher timeline, or of the line itself, which"
              + " an earlier row takes",
          "standby: ahead before on-line",
          "one is beyond the primary, the other is not",
          "standby: off-line before unplaced",
          "on the primary's timeline, one needs another begin, the other the same",
          "rule: no-primary before split-brain",
          "none, and two or more",
          "rule: unproven before promoted-apart",
          "a candidate has one class");

  private Mutants() {}
}
