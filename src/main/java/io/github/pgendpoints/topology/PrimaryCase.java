package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.TableRow.row;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One primary against the published line: the table of classes, and the facts that it uses.
 *
 * @param topology the topology of the cycle, without unknown aliases
 */
record PrimaryCase(NodeState primary, LastPublished published, Topology topology) {
  /** The first row that matches is the class. docs/rules.md gives the reason for each. */
  static final List<TableRow<PrimaryClass, PrimaryCase>> TABLE =
      List.of(
          row(PrimaryClass.FIRST, primary -> !primary.isAnyLinePublished()),
          row(
              PrimaryClass.NO_TIMELINE,
              primary ->
                  !primary.tellsTimeline()
                      && (primary.isPublishedServer() || !primary.withholdsWhatItIs())),
          row(
              PrimaryClass.PUBLISHED,
              primary -> primary.isOnPublishedLine() && primary.isPublishedServer()),
          row(PrimaryClass.TAKEN_OVER, PrimaryCase::isPublishedServerItsStandby),
          row(PrimaryClass.MOVED, PrimaryCase::hasPublishedServerMovedHere),
          row(PrimaryClass.TWIN, PrimaryCase::isOnPublishedLine),
          row(PrimaryClass.DEAD_BRANCH, PrimaryCase::isOffPublishedLine),
          row(
              PrimaryClass.SUCCESSOR,
              primary -> primary.continuesPublishedLine() && !primary.withholdsWhatItIs()),
          row(PrimaryClass.UNPROVEN, primary -> true));

  private Line line() {
    return published.line();
  }

  private Long timeline() {
    return primary.server().timeline();
  }

  private boolean isAnyLinePublished() {
    return line() != null;
  }

  private boolean tellsTimeline() {
    return timeline() != null;
  }

  /** Whether the primary is on the published timeline, and no different begin is known. */
  private boolean isOnPublishedLine() {
    return tellsTimeline()
        && timeline() == line().timeline()
        && !line().beginsElsewhereThan(primary.server().begin());
  }

  /** Compares by start time; if no node has it, by entry; if no server is there, by name. */
  private boolean isPublishedServer() {
    PublishedPrimary known = published.primary();
    if (topology.nodes().stream().anyMatch(this::startedAsPublished)) {
      return startedAsPublished(primary);
    }
    if (topology.nodes().stream().anyMatch(this::answersAtPublishedEntry)) {
      return topology.entriesOf(primary).stream().anyMatch(this::answersAtPublishedEntry);
    }
    return topology.isDeserted(known.entries())
        && topology.entriesOf(primary).stream()
            .anyMatch(node -> node.node().name().equals(known.name()));
  }

  private boolean startedAsPublished(NodeState node) {
    return node.hasAnswered() && published.primary().isStartOf(node.server());
  }

  private boolean answersAtPublishedEntry(NodeState node) {
    return node.hasAnswered() && published.primary().entries().contains(node.endpoint());
  }

  /** Whether the published server is now a standby of this primary, and lost no WAL by it. */
  private boolean isPublishedServerItsStandby() {
    return topology.standbys().stream()
        .filter(
            standby ->
                topology.entriesOf(standby).stream().anyMatch(published.primary()::isListedAs))
        .anyMatch(
            standby ->
                TableRow.first(StandbyCase.TABLE, new StandbyCase(standby, primary, topology))
                        == StandbyClass.ON_LINE
                    // If both timelines are equal, only the upstream shows which line it is on.
                    && (timeline() != line().timeline() || topology.isUpstream(primary, standby)));
  }

  private boolean hasPublishedServerMovedHere() {
    List<String> entries = published.primary().entries();
    // Entries that answer show which of them are one server.
    List<Set<String>> aliases =
        topology.nodes().stream()
            .filter(NodeState::hasAnswered)
            .map(
                node ->
                    topology.entriesOf(node).stream()
                        .map(NodeState::endpoint)
                        .collect(Collectors.toSet()))
            .toList();
    long others = topology.listed(aliases) - 1L;
    return isOnPublishedLine()
        && line().begin() != null
        && primary.server().begin() != null
        && !entries.isEmpty()
        && topology.nodes().stream().noneMatch(published.primary()::isListedAs)
        && topology.isDeserted(entries)
        && topology.standbys().stream()
                    .filter(standby -> topology.isUpstream(primary, standby))
                    .count()
                * 2
            > others;
  }

  private boolean isOffPublishedLine() {
    return tellsTimeline() && timeline() <= line().timeline()
        || tellsHistory() && primary.history().excludes(line());
  }

  private boolean continuesPublishedLine() {
    return tellsHistory() && primary.history().contains(line());
  }

  private boolean withholdsWhatItIs() {
    return primary.server().withholdsTimeline(line()) || primary.server().withholdsCluster(line());
  }

  private boolean tellsHistory() {
    return primary.history() != null;
  }
}
