package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reports nodes that serve clients although something has been wrong for minutes. */
final class TrendReports {
  private final Situation now;
  private final Map<Node, StandbyClass> standbys;
  private final ReadOnly readOnly;
  private final Trends trends;
  private final Instant at;
  private final List<Report> reports = new ArrayList<>();

  /**
   * @param readOnly the members of the read-only Service; null unless verified
   */
  TrendReports(Situation now, Map<Node, StandbyClass> standbys, ReadOnly readOnly) {
    this.now = now;
    this.standbys = standbys;
    this.readOnly = readOnly;
    this.trends = now.memory().hysteresis().trends();
    this.at = now.topology().at();
  }

  List<Report> all() {
    now.candidates().forEach(this::addReadOnlyPrimary);
    for (NodeState node : now.topology().nodes()) {
      if (isReadFrom(node)) {
        addGap(node);
        addUnknown(node);
      }
      if (standbys.get(node.node()) != StandbyClass.OFF_LINE) {
        addGrowth(node);
      }
    }
    return reports;
  }

  /** A refused cycle leaves the read-only Service as it is. */
  private boolean isReadFrom(NodeState node) {
    return readOnly == null
        ? now.published().isReadOnly(now.memory().hysteresis().located(node))
        : readOnly.standbys().stream().anyMatch(member -> member.node().equals(node.node()));
  }

  private void addReadOnlyPrimary(NodeState primary) {
    if (primary.server() != null && Boolean.TRUE.equals(primary.server().readOnlyByDefault())) {
      add(
          Report.Topic.READ_ONLY_PRIMARY,
          primary,
          true,
          "read-only primary",
          "%s has default_transaction_read_only=on, so sessions cannot write unless they turn it off; find what set it, such as a guard against a full disk or a fence",
          Reports.at(primary));
    }
  }

  private void addGap(NodeState node) {
    Trends.Gap gap = trends.gaps().get(node.node());
    if (gap != null) {
      add(
          Report.Topic.NO_RECEIVER,
          node,
          Trends.isSettled(gap.since(), at),
          "no WAL receiver",
          "standby %s has received nothing from the primary %s for %s, and is still read from; check primary_conninfo, pg_hba.conf, the network, and whether the primary has removed WAL that the standby needs",
          Reports.at(node),
          primary(),
          minutes(gap.since()));
    }
  }

  private void addUnknown(NodeState node) {
    Instant since = trends.unknown().get(node.node());
    if (since != null) {
      add(
          Report.Topic.UNVERIFIED,
          node,
          Trends.isSettled(since, at),
          "unverified standby",
          "%s has been UNKNOWN for %s, and is still read from: %s",
          Reports.at(node),
          minutes(since),
          node.reason());
    }
  }

  private void addGrowth(NodeState node) {
    Trends.Growth growth = trends.growths().get(node.node());
    if (growth != null) {
      add(
          Report.Topic.LAG_GROWS,
          node,
          growth.isSettled(at),
          "growing lag",
          "standby %s is %d bytes behind the primary %s, %d more than %s ago, and the lag has not fallen since; check its WAL receiver, its disk, and queries that block replay",
          Reports.at(node),
          growth.to(),
          primary(),
          growth.to() - growth.from(),
          minutes(growth.since()));
    }
  }

  // Error Prone's annotation for format strings would be a dependency.
  @SuppressWarnings("AnnotateFormatMethod")
  private void add(
      Report.Topic topic,
      NodeState node,
      boolean settled,
      String headline,
      String details,
      Object... values) {
    String subject = node.node().name();
    reports.add(
        settled
            ? new Report(topic, subject, headline, details.formatted(values))
            : Report.pending(topic, subject));
  }

  private String primary() {
    return now.candidate() == null
        ? Reports.known(now.published().primary())
        : Reports.at(now.candidate());
  }

  private String minutes(Instant since) {
    return Duration.between(since, at).toMinutes() + " minutes";
  }
}
