package io.github.pgendpoints.topology;

import java.util.List;
import java.util.Set;

/** The rivals of a split brain beside the one candidate of a cycle. */
record Rivals(Situation now) {
  /**
   * The rivals that may still accept writes; or the candidate itself, if it was outlived by the
   * published primary, which may have newer writes.
   */
  List<Rival> unaccounted() {
    return now.rivals().stream()
        .filter(
            rival ->
                rival.isOutlived()
                    ? isCandidate(rival) && !isPublishedOver()
                    : !isCandidate(rival) && (!rival.isGone() || !now.leftBehind().isEmpty()))
        .toList();
  }

  /**
   * Returns the rivals to remember of a verified cycle, which may publish nothing. The split brain
   * is over if the candidate is published already, and no rival is only DOWN.
   */
  List<Rival> afterVerified() {
    boolean isOver = isInForce() && now.rivals().stream().allMatch(this::isCandidate);
    return isOver ? List.of() : now.rivals();
  }

  /** Whether a rival is the candidate, even under an ignored alias. */
  private boolean isCandidate(Rival rival) {
    return now.asked().entriesOf(now.candidate()).stream()
        .anyMatch(entry -> rival.entry().equals(entry.endpoint()) || isRenumbered(rival, entry));
  }

  /**
   * Whether the rival has another address now. Its name may also lead to the published server,
   * which has another name.
   */
  private boolean isRenumbered(Rival rival, NodeState entry) {
    PublishedPrimary published = now.published().primary();
    boolean isAnother =
        published.name() != null
            && !published.name().equals(rival.name())
            && published.entries().contains(entry.endpoint());
    return rival.isAt(entry, now.asked()) && !isAnother;
  }

  /** Whether the read-write Service routes to the candidate alone, which is published. */
  private boolean isInForce() {
    return now.candidateIs(PrimaryClass.PUBLISHED)
        && now.topology().entriesOf(now.candidate()).stream()
            .anyMatch(entry -> now.published().readWrite().equals(Set.of(entry.endpoint())));
  }

  /** Whether the published primary is the candidate, no primary any more, or off PG_NODES. */
  private boolean isPublishedOver() {
    PublishedPrimary published = now.published().primary();
    return now.candidateIs(PrimaryClass.PUBLISHED)
        || published.entries().stream().noneMatch(now::isListed)
        || now.topology().nodes().stream()
            .anyMatch(node -> published.isListedAs(node) && now.isNoPrimaryAnyMore(node));
  }
}
