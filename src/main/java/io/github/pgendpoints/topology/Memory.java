package io.github.pgendpoints.topology;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a cycle remembers of earlier cycles, apart from what is published. The line, rivals and
 * aliases do not expire, and STATE stores them. Node states expire, and only the process keeps
 * them.
 *
 * @param generation the generation of the published objects that this memory belongs to
 * @param primary the last verified primary; deleting or editing an object does not remove it
 * @param rivals the primaries of a split brain that is not over
 * @param aliases groups of two or more entries, as {@code ip:port}, that proved to be one server
 * @param hysteresis how long standbys have been seen or missed
 * @param at when the last cycle probed its nodes; null before the first cycle
 */
public record Memory(
    long generation,
    PublishedPrimary primary,
    List<Rival> rivals,
    List<Set<String>> aliases,
    StandbyHysteresis hysteresis,
    Instant at) {
  public Memory {
    rivals = List.copyOf(rivals);
    aliases = aliases.stream().map(Set::copyOf).toList();
  }

  /** Returns a memory of the values that STATE stores. */
  public static Memory stored(
      long generation, PublishedPrimary primary, List<Rival> rivals, List<Set<String>> aliases) {
    return new Memory(generation, primary, rivals, aliases, StandbyHysteresis.none(), null);
  }

  /** Returns an empty memory. */
  public static Memory empty(StandbyHysteresis hysteresis) {
    return new Memory(0, PublishedPrimary.none(), List.of(), List.of(), hysteresis, null);
  }

  /**
   * Returns the memory at the start of a term of leadership, without the node states of earlier
   * terms.
   *
   * @param stored the contents of STATE; null when there is none, and then a split brain of the
   *     earlier term is forgotten
   */
  public Memory inNewTerm(Memory stored) {
    Memory known = stored == null ? withRivals(List.of()) : stored;
    return new Memory(
        known.generation(),
        known.primary(),
        known.rivals().stream().map(Rival::present).toList(),
        known.aliases(),
        hysteresis.forgotten(),
        null);
  }

  /**
   * Merges what another process stored in the meantime, within one term of leadership. The higher
   * timeline applies. A stored rival stays a rival until this process has accounted for it.
   *
   * @param stored the contents of STATE; those of a later generation replace this memory
   */
  public Memory joinedWith(Memory stored) {
    if (stored.generation > generation) {
      return inNewTerm(stored);
    }
    if (stored.generation < generation) {
      return this;
    }
    List<Rival> all = new ArrayList<>(rivals);
    for (Rival rival : stored.rivals) {
      if (rivals.stream().noneMatch(known -> known.entry().equals(rival.entry()))) {
        all.add(rival.present());
      }
    }
    Set<Set<String>> groups = new LinkedHashSet<>(aliases);
    stored.aliases.stream()
        .filter(
            group -> aliases.stream().noneMatch(known -> known.stream().anyMatch(group::contains)))
        .forEach(groups::add);
    return new Memory(
        generation,
        primary.isBehind(stored.primary) ? stored.primary : primary,
        all,
        List.copyOf(groups),
        hysteresis,
        at);
  }

  /**
   * Combines the primaries of the objects and of this memory. The higher timeline applies, so that
   * deleting or editing an object does not bring an old primary back. Another cluster or a later
   * generation in the object means that an operator has overruled; an earlier one is a copy from
   * before.
   */
  public LastPublished completed(LastPublished published) {
    if (published.generation() < generation) {
      return published.with(primary, generation);
    }
    if (primary.line() == null || isOverruledBy(published)) {
      return published;
    }
    Line stored = published.line();
    boolean isOther = Line.differ(published.systemIdentifier(), primary.systemIdentifier());
    return !isOther && (stored == null || stored.timeline() < primary.line().timeline())
        ? published.with(primary, generation)
        : published;
  }

  private boolean isOverruledBy(LastPublished published) {
    return published.generation() > generation;
  }

  /**
   * Returns what is still valid for these published objects and this time of the probes.
   *
   * @param maxAge the age after which node states no longer apply
   */
  Memory asOf(LastPublished published, Instant now, Duration maxAge) {
    if (isOverruledBy(published)) {
      return new Memory(
          published.generation(),
          published.primary(),
          List.of(),
          List.of(),
          hysteresis.forgotten(),
          null);
    }
    boolean old = at != null && Duration.between(at, now).compareTo(maxAge) > 0;
    return new Memory(
        generation,
        completed(published).primary(),
        old ? rivals.stream().map(Rival::present).toList() : rivals,
        aliases,
        old ? hysteresis.forgotten() : hysteresis,
        at);
  }

  /**
   * Returns the memory after these probe results.
   *
   * @param published the published primary, whose entries are aliases, too
   */
  Memory observing(Topology topology, PublishedPrimary published) {
    List<Set<String>> earlier = new ArrayList<>(aliases);
    earlier.add(Set.copyOf(published.entries()));
    return new Memory(
        generation,
        primary,
        rivals,
        aliasesSeenIn(topology, earlier),
        hysteresis.observing(topology),
        topology.at());
  }

  /** An entry that does not answer stays in its group; one that answers shows its group. */
  private static List<Set<String>> aliasesSeenIn(Topology topology, List<Set<String>> aliases) {
    Set<String> answered = new HashSet<>();
    Set<String> listed = new HashSet<>();
    for (NodeState node : topology.nodes()) {
      if (node.endpoint() != null) {
        listed.add(node.endpoint());
        if (node.hasAnswered()) {
          answered.add(node.endpoint());
        }
      }
    }
    Set<Set<String>> groups = new LinkedHashSet<>();
    for (NodeState node : topology.nodes()) {
      if (node.hasAnswered()) {
        Set<String> group = new TreeSet<>();
        topology.entriesOf(node).forEach(entry -> group.add(entry.endpoint()));
        for (Set<String> earlier : aliases) {
          if (earlier.stream().anyMatch(group::contains)) {
            earlier.stream()
                .filter(entry -> !answered.contains(entry) && listed.contains(entry))
                .forEach(group::add);
          }
        }
        groups.add(group);
      }
    }
    boolean allLocated = topology.nodes().stream().allMatch(node -> node.endpoint() != null);
    for (Set<String> earlier : aliases) {
      boolean known = !allLocated || earlier.stream().anyMatch(listed::contains);
      if (known && earlier.stream().noneMatch(answered::contains)) {
        groups.add(earlier);
      }
    }
    return groups.stream().filter(group -> group.size() > 1).toList();
  }

  /** Returns this entry and every entry that is or was the same server. */
  Set<String> aliasesOf(String entry) {
    Set<String> all = new TreeSet<>(Set.of(entry));
    aliases.stream().filter(group -> group.contains(entry)).forEach(all::addAll);
    return all;
  }

  /** Returns a copy that also remembers these primaries of a split brain as rivals. */
  Memory rememberingAsRivals(List<NodeState> primaries, Topology asked) {
    List<Rival> all =
        new ArrayList<>(
            rivals.stream()
                .filter(rival -> !rival.isOutlived() || !rival.isAtOneOf(primaries, asked))
                .map(Rival::present)
                .toList());
    for (NodeState primary : primaries) {
      if (all.stream().noneMatch(rival -> rival.isAt(primary, asked))) {
        all.add(new Rival(primary.endpoint(), primary.node().name(), asked.at(), null, false));
      }
    }
    return withRivals(all);
  }

  Memory withRivals(List<Rival> others) {
    return new Memory(generation, primary, others, aliases, hysteresis, at);
  }

  Memory with(StandbyHysteresis other) {
    return new Memory(generation, primary, rivals, aliases, other, at);
  }

  /**
   * Returns a copy for the time after this primary is published, which ends a split brain. A rival
   * that was only DOWN may come back.
   */
  public Memory publishing(PublishedPrimary published) {
    List<Rival> dead =
        rivals.stream()
            .filter(rival -> rival.isOutlived() || rival.isGone())
            .filter(rival -> !published.entries().contains(rival.entry()))
            .map(Rival::outlived)
            .toList();
    return new Memory(generation, published, dead, aliases, hysteresis, at);
  }

  /** Whether this memory and the other one are equal in everything that other processes read. */
  public boolean isSameForOthers(Memory other) {
    return generation == other.generation
        && Objects.equals(primary, other.primary)
        && rivals.stream()
            .map(Rival::present)
            .toList()
            .equals(other.rivals.stream().map(Rival::present).toList())
        && new HashSet<>(aliases).equals(new HashSet<>(other.aliases));
  }
}
