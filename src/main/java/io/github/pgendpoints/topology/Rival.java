package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A primary of a split brain. It counts as one until something shows that it is none any more.
 *
 * @param entry its {@code ip:port}
 * @param name its entry of PG_NODES
 * @param since when it was first seen beside another primary
 * @param absence how long nobody has answered there; null while that does not count
 */
public record Rival(String entry, String name, Instant since, Absence absence) {
  /** So long a rival has to be DOWN: a restart or a stall is shorter. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  private static final int MIN_PROBES = 3;

  /**
   * Probes in a row that found nobody there, while one other primary could have been published.
   *
   * @param since the first of them
   * @param last the last of them
   * @param probes how many
   */
  public record Absence(Instant since, Instant last, int probes) {}

  /** Whether the node is where the rival was. */
  boolean isAt(NodeState node) {
    return entry.equals(node.endpoint()) || name.equals(node.node().name());
  }

  /**
   * The same with one more cycle counted; null when it is accounted for. That nobody answers counts
   * only in a probe of its own, and only while one other primary could be published.
   *
   * @param before what nodes were in the cycles before
   */
  Rival after(Situation now, StandbyHysteresis before) {
    List<NodeState> aliases = now.unknownAliases().stream().filter(this::isAt).toList();
    List<NodeState> there =
        now.topology().nodes().stream()
            .filter(node -> isAt(node) || aliases.stream().anyMatch(node::isSameServerAs))
            .toList();
    boolean isListed = !there.isEmpty() || !aliases.isEmpty();
    if (!isListed || there.stream().anyMatch(now::isNoPrimaryAnyMore)) {
      return null;
    }
    boolean isDown =
        there.stream().allMatch(node -> node.state() == State.DOWN) && !there.isEmpty();
    boolean counts =
        now.candidates().size() == 1
            && now.published().faults().isEmpty()
            && !now.topology().isOfSeveralClusters()
            && isDown;
    if (!counts) {
      return present();
    }
    return there.stream().anyMatch(before::isNew) ? absentAt(now.topology().at()) : this;
  }

  /** The same after one more probe that found nobody there. */
  private Rival absentAt(Instant at) {
    boolean isClockSetBack = absence != null && at.isBefore(absence.last());
    Absence longer =
        absence == null || isClockSetBack
            ? new Absence(at, at, 1)
            : new Absence(absence.since(), at, absence.probes() + 1);
    return new Rival(entry, name, since, longer);
  }

  /** The same after anything else. */
  Rival present() {
    return new Rival(entry, name, since, null);
  }

  /** Whether it has been DOWN for so long that it is taken for dead. */
  boolean isGone() {
    return absence != null
        && absence.probes() >= MIN_PROBES
        && Duration.between(absence.since(), absence.last()).compareTo(SETTLED) >= 0;
  }
}
