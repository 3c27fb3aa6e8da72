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
 * What a cycle has to know of earlier ones, beside what is published. Line, rivals and aliases do
 * not age, and STATE keeps them. What nodes were does, and only the process knows it.
 *
 * @param generation of the published objects when this was learned
 * @param primary the primary verified last; a deleted or edited object does not take it away
 * @param rivals the primaries of a split brain that is not over
 * @param aliases entries that were seen to be one server, as {@code ip:port}; two or more each
 * @param hysteresis what standbys were
 * @param at when the last cycle asked its nodes; null before the first
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

  /** What outlives a process. */
  public static Memory stored(
      long generation, PublishedPrimary primary, List<Rival> rivals, List<Set<String>> aliases) {
    return new Memory(generation, primary, rivals, aliases, StandbyHysteresis.none(), null);
  }

  /** Nothing is known. */
  public static Memory empty(StandbyHysteresis hysteresis) {
    return new Memory(0, PublishedPrimary.none(), List.of(), List.of(), hysteresis, null);
  }

  /**
   * At the begin of a term of leadership: what nodes were in an earlier one says nothing now.
   *
   * @param stored what STATE has; null when there is none, and then a split brain of the earlier
   *     term is forgotten
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
   * The same with what another process wrote down meanwhile, within one term of leadership: of two
   * timelines the higher one counts, and a rival is one until this process has accounted for it.
   *
   * @param stored what STATE has; of a later generation it replaces what is known
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
   * The published primary, as objects and memory know it together. Of two timelines the higher one
   * counts: whoever deletes or edits an object does not bring an old primary back. Another cluster
   * or a later generation in the object means that a person has overruled; an earlier one is a copy
   * from before that.
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
   * What is still known when this is published and the nodes are asked at this moment.
   *
   * @param maxAge after which what nodes were says nothing
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
   * What is known after these nodes answered.
   *
   * @param published whose entries were one server, too
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

  /**
   * An entry that does not answer stays with the server it was; one that answers says whose it is.
   */
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

  /** Every entry that is or was the same server as this one. */
  Set<String> aliasesOf(String entry) {
    Set<String> all = new TreeSet<>(Set.of(entry));
    aliases.stream().filter(group -> group.contains(entry)).forEach(all::addAll);
    return all;
  }

  /** The same with a split brain of these primaries beside those that are remembered. */
  Memory rememberingAsRivals(List<NodeState> primaries, Instant now) {
    List<Rival> all = new ArrayList<>(rivals.stream().map(Rival::present).toList());
    for (NodeState primary : primaries) {
      if (all.stream().noneMatch(rival -> rival.isAt(primary))) {
        all.add(new Rival(primary.endpoint(), primary.node().name(), now, null));
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

  /** The same once this primary is published. */
  public Memory publishing(PublishedPrimary published) {
    return new Memory(generation, published, rivals, aliases, hysteresis, at);
  }

  /** Whether another process could learn nothing from this that it does not know from the other. */
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
