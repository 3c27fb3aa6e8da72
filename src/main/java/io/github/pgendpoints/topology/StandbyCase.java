package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Line.differ;
import static io.github.pgendpoints.topology.TableRow.row;

import java.util.List;

/**
 * One standby against the history of a primary: the table of classes, and the facts that it uses.
 *
 * @param primary the candidate; UNKNOWN if it is full
 */
record StandbyCase(NodeState standby, NodeState primary, Topology topology) {
  /** The first row that matches is the class. docs/rules.md gives the reason for each. */
  static final List<TableRow<StandbyClass, StandbyCase>> TABLE =
      List.of(
          row(
              StandbyClass.ON_LINE,
              standby ->
                  standby.isOnPrimarysTimeline()
                          && standby.arePositionsTold()
                          && !standby.isBeyondPrimary()
                      || standby.isOnAncestor()
                          && standby.standby().server().lsn() != null
                          && !standby.isBeyondAncestor()),
          row(
              StandbyClass.AHEAD,
              standby ->
                  standby.isOnPrimarysTimeline()
                      && standby.isBeyondPrimary()
                      && standby.isPrimaryConfirmed()),
          row(
              StandbyClass.UNPLACED,
              standby -> standby.isOnPrimarysTimeline() && standby.isBeyondPrimary()),
          row(StandbyClass.OFF_LINE, StandbyCase::isProvenOffLine),
          row(StandbyClass.UNDETERMINED, standby -> true));

  private Long timeline() {
    return standby.server().timeline();
  }

  private Long primarysTimeline() {
    return primary.server() == null ? null : primary.server().timeline();
  }

  private boolean areTimelinesTold() {
    return timeline() != null && primarysTimeline() != null;
  }

  private History history() {
    return primary.history();
  }

  private boolean arePositionsTold() {
    return standby.server().lsn() != null
        && primary.server() != null
        && primary.server().lsn() != null;
  }

  private boolean isOnPrimarysTimeline() {
    return areTimelinesTold()
        && timeline().equals(primarysTimeline())
        && !differ(standby.server().begin(), primary.server().begin());
  }

  private boolean isBeyondPrimary() {
    return Topology.isAhead(standby, primary);
  }

  private boolean isPrimaryConfirmed() {
    return !topology.unconfirmed().contains(primary.node());
  }

  private boolean isOnAncestor() {
    return areTimelinesTold()
        && history() != null
        && history().endOf(timeline()) != null
        && !differ(standby.server().begin(), history().beginOf(timeline()));
  }

  private boolean isBeyondAncestor() {
    return standby.server().lsn().compareTo(history().endOf(timeline())) > 0;
  }

  private boolean isProvenOffLine() {
    if (!areTimelinesTold()) {
      return false;
    }
    if (timeline() >= primarysTimeline()) {
      return timeline() > primarysTimeline()
          || differ(standby.server().begin(), primary.server().begin());
    }
    return history() != null
        && history().covers(timeline())
        && (!isOnAncestor() || standby.server().lsn() != null && isBeyondAncestor());
  }

  /** Whether it streams a lower timeline than the primary's, and thus from another server. */
  boolean streamsLowerTimeline() {
    return areTimelinesTold()
        && standby.server().source() != null
        && timeline() < primarysTimeline();
  }

  /** Whether this standby follows a line that continues the primary's. */
  boolean followsNewerLine(Line primarysLine) {
    if (!areTimelinesTold() || timeline() <= primarysTimeline()) {
      return false;
    }
    HistoryAnswer lineage = standby.server().lineage();
    return lineage.isRead()
        ? lineage.history().contains(primarysLine)
        : lineage.isNotGranted() && timeline() <= primarysTimeline() + Decision.CREDIBLE_JUMP;
  }

  /** The bytes that this standby has of a line after a new primary left it; 0 for none. */
  long bytesBeyond(Line left) {
    if (history() == null || !standby.server().isOn(left) || standby.server().lsn() == null) {
      return 0;
    }
    Lsn end = history().endOf(left.timeline());
    return end == null ? 0 : Math.max(0, standby.server().lsn().bytes() - end.bytes());
  }

  /** Returns the reason for a class, in a few words for operators. */
  String why(StandbyClass is) {
    return switch (is) {
      case ON_LINE -> "on the primary's line";
      case AHEAD ->
          "%d bytes ahead of the primary: it has replayed %s, and the primary has written %s"
              .formatted(
                  standby.server().lsn().bytes() - primary.server().lsn().bytes(),
                  standby.server().lsn(),
                  primary.server().lsn());
      case UNPLACED -> "the primary did not confirm its position";
      case OFF_LINE ->
          "diverged: it is on timeline %d at %s, and the primary's timeline %d %s"
              .formatted(timeline(), standby.server().lsn(), primarysTimeline(), whereItParted());
      case UNDETERMINED ->
          timeline() == null
              ? "it does not report its timeline"
              : "the history of the primary's timeline is not known that far back";
    };
  }

  private String whereItParted() {
    Lsn end = history() == null ? null : history().endOf(timeline());
    if (timeline().equals(primarysTimeline())) {
      return "begins elsewhere, at " + primary.server().begin();
    }
    if (end == null) {
      return "did not come from it";
    }
    return differ(standby.server().begin(), history().beginOf(timeline()))
        ? "comes from another timeline with that number"
        : "branched off it at " + end;
  }
}
