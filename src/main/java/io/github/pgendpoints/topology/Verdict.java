package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The decision of one cycle.
 *
 * @param rule the rule that decided
 * @param primary the one candidate; null when there is none, or several
 * @param primaries the class of each primary of our cluster
 * @param standbys the class of each standby against the candidate; empty without a candidate
 * @param publishing what to remember of the candidate; null unless verified
 * @param readOnly the members of the read-only Service; null unless verified
 * @param repair the {@code ip:port} to restore in the read-write Service although the cycle is
 *     refused; null for no repair
 * @param reachable how many servers of our cluster answered
 * @param quorum how many of them MIN_REACHABLE_NODES requires
 * @param reports the findings for operators; the refusal first
 */
public record Verdict(
    Rule rule,
    NodeState primary,
    Map<Node, PrimaryClass> primaries,
    Map<Node, StandbyClass> standbys,
    PublishedPrimary publishing,
    ReadOnly readOnly,
    String repair,
    int reachable,
    int quorum,
    List<Report> reports) {
  private static final Pattern KIND = Pattern.compile("[A-Za-z][A-Za-z0-9]{0,62}");

  public Verdict {
    primaries = Map.copyOf(primaries);
    standbys = Map.copyOf(standbys);
    reports = List.copyOf(reports);
    if ((rule == Rule.VERIFIED) != (publishing != null && readOnly != null)) {
      throw new IllegalArgumentException(rule + " with " + publishing + " and " + readOnly);
    }
  }

  /** Cheap, because Camel calls it each time that an expression reads a verdict. */
  @Override
  public int hashCode() {
    return rule.hashCode();
  }

  /**
   * Returns this verdict, refused by a rule that a route adds.
   *
   * @param kind the name of the rule, such as {@code MaintenanceWindow}: a letter, then up to 62
   *     letters and digits; not the name of a built-in rule
   * @param sentence why, and what ends it
   */
  public Verdict refuse(String kind, String sentence) {
    if (kind == null || sentence == null || sentence.isBlank()) {
      throw new IllegalArgumentException(
          "a rule refuses with a name and a sentence, as in refuse('NAME', 'sentence')");
    }
    if (!KIND.matcher(kind).matches()) {
      throw new IllegalArgumentException(
          "the name of a rule is a letter and up to 62 letters and digits, not '%s'"
              .formatted(kind));
    }
    if (Stream.of(Rule.values()).anyMatch(rule -> rule.toString().equalsIgnoreCase(kind))) {
      throw new IllegalArgumentException(
          "'%s' is the name of a built-in rule; allowed: any other".formatted(kind));
    }
    return new Verdict(
        Rule.OWN,
        primary,
        primaries,
        standbys,
        null,
        null,
        null,
        reachable,
        quorum,
        Stream.concat(
                Stream.of(new Report(Report.Topic.REFUSED, kind, "rule " + kind, sentence)),
                reports.stream().filter(report -> report.topic() != Report.Topic.REFUSED))
            .toList());
  }

  /** The name of the rule that decided, as log, metrics and status show it. */
  public String ruleName() {
    return rule == Rule.OWN ? reports.get(0).subject() : rule.toString();
  }

  /** Whether the Services may follow this topology. */
  public boolean isVerified() {
    return rule == Rule.VERIFIED;
  }

  /** Whether an operator must act: a refusal, or a server that must not be there. */
  public boolean hasErrors() {
    return reports.stream().anyMatch(report -> report.topic().isError());
  }

  /** Whether as many servers answered as MIN_REACHABLE_NODES requires. */
  public boolean isQuorate() {
    return reachable >= quorum;
  }

  /** Bytes that a standby is behind the candidate; null when that is not known. */
  public Long lag(NodeState standby) {
    return Topology.lag(standby, primary);
  }
}
