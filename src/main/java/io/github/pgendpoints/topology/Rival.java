package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A primary of a split brain. It stays a rival until a cycle has accounted for it.
 *
 * @param entry its {@code ip:port}
 * @param name its entry of PG_NODES
 * @param since when it was first seen beside another primary
 * @param absence how long no server has answered there; null while that does not apply
 * @param isOutlived whether another primary was published since, because this one was DOWN: it does
 *     not block others, but may not take writes when it is back alone
 */
public record Rival(String entry, String name, Instant since, Absence absence, boolean isOutlived) {
  /** How long a rival must be DOWN; a restart or a stall is shorter. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  private static final int MIN_PROBES = 3;

  /**
   * Consecutive probes that found no server there, while one other primary could be published.
   *
   * @param since the time of the first probe
   * @param last the time of the last probe
   * @param probes the number of probes
   */
  public record Absence(Instant since, Instant last, int probes) {}

  /**
   * Whether the node is where the rival was. Its name counts only while no node has its address: a
   * name may lead to another server by now.
   */
  boolean isAt(NodeState node, Topology asked) {
    return entry.equals(node.endpoint())
        || name.equals(node.node().name())
            && asked.nodes().stream().noneMatch(other -> entry.equals(other.endpoint()));
  }

  boolean isAtOneOf(List<NodeState> nodes, Topology asked) {
    return nodes.stream().anyMatch(node -> isAt(node, asked));
  }

  /** Whether PG_NODES has the name, which may have lost this address. */
  private boolean isNameListed(Topology asked) {
    String listed = name.contains("/") ? name.substring(0, name.indexOf('/')) : name;
    return asked.nodes().stream().anyMatch(node -> listed.equals(node.node().entry().name()));
  }

  /**
   * Returns the rival after one more cycle; null when it is accounted for. An absence counts only
   * in a new probe, and only while one other primary could be published.
   *
   * @param before the node states of earlier cycles
   */
  Rival after(Situation now, StandbyHysteresis before) {
    Topology asked = now.asked();
    List<NodeState> aliases =
        now.unknownAliases().stream().filter(node -> isAt(node, asked)).toList();
    List<NodeState> there =
        now.topology().nodes().stream()
            .filter(node -> isAt(node, asked) || aliases.stream().anyMatch(node::isSameServerAs))
            .toList();
    boolean isListed =
        !there.isEmpty() || !aliases.isEmpty() || now.isListed(entry) || isNameListed(asked);
    if (!isListed || there.stream().anyMatch(now::isNoPrimaryAnyMore)) {
      return null;
    }
    if (isOutlived) {
      return this;
    }
    boolean isDown =
        there.isEmpty()
            ? asked.unanswered().contains(entry)
            : there.stream().allMatch(node -> node.state() == State.DOWN);
    boolean counts =
        now.candidates().size() == 1
            && now.published().faults().isEmpty()
            && !now.topology().isOfSeveralClusters()
            && isDown;
    if (!counts) {
      return present();
    }
    return there.isEmpty() || there.stream().anyMatch(before::isNew)
        ? absentAt(now.topology().at())
        : this;
  }

  /** Returns the rival after one more probe that found no server there. */
  private Rival absentAt(Instant at) {
    Absence longer =
        absence == null
            ? new Absence(at, at, 1)
            : new Absence(absence.since(), at, absence.probes() + 1);
    return new Rival(entry, name, since, longer, false);
  }

  /** Returns the rival after any other result. */
  Rival present() {
    return new Rival(entry, name, since, null, isOutlived);
  }

  /** Returns the rival after another primary was published, because this one was DOWN. */
  Rival outlived() {
    return new Rival(entry, name, since, null, true);
  }

  /** Whether only its entry outside the node list can show that no server is there. */
  boolean isUnlisted(Topology asked) {
    return !isOutlived
        && isNameListed(asked)
        && asked.nodes().stream().noneMatch(node -> isAt(node, asked));
  }

  /** Whether it has been DOWN long enough to be treated as dead. */
  boolean isGone() {
    return absence != null
        && absence.probes() >= MIN_PROBES
        && Duration.between(absence.since(), absence.last()).compareTo(SETTLED) >= 0;
  }
}
