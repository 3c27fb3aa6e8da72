package io.github.pgendpoints.publish;

import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.Topology;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The subcommand overrule: publishes a primary that the rules refuse, and begins a new generation,
 * which makes every running manager forget what it knew.
 *
 * @param entry which primary: an entry of PG_NODES, or {@code ip:port}; null for the only one
 * @param confirmed whether to write, instead of only to show
 * @param clock for the number of the generation
 */
public record OverrulePlanner(
    String entry, boolean confirmed, Publisher publisher, ClusterMemory memory, Clock clock) {
  /**
   * Returns what is to be published and forgotten.
   *
   * @param topology of a fresh probe
   * @param published what the objects store, completed from memory
   * @param readWrite the objects behind the read-write Service
   * @param readOnly the objects behind the read-only Service
   */
  public OverruleProposal choose(
      Topology topology,
      LastPublished published,
      ObservedService readWrite,
      ObservedService readOnly) {
    List<NodeState> primaries = topology.claimants();
    NodeState chosen = chosen(topology, published, primaries);
    if (chosen == null) {
      return OverruleProposal.impossible(problem(topology, primaries));
    }
    Memory known = memory.known();
    long generation = generationAfter(Math.max(published.generation(), known.generation()));
    PublishedPrimary primary = PublishedPrimary.chosen(chosen, topology.entriesOf(chosen));
    List<Plan> plans = publisher.chosen(chosen, primary, generation, topology, readWrite, readOnly);
    return new OverruleProposal(
        null,
        text(topology, published, known, chosen, primary, generation, plans),
        plans,
        Memory.stored(generation, primary, List.of(), aliases(known, primary)),
        confirmed);
  }

  /**
   * Returns a number that no running manager has seen. It is at least the time: if the objects were
   * deleted, so was the last number, and without STATE only the running managers know it.
   */
  private long generationAfter(long last) {
    return Math.max(last + 1, clock.instant().getEpochSecond());
  }

  /** Returns null if no primary is named, or several are. */
  private NodeState chosen(Topology topology, LastPublished published, List<NodeState> primaries) {
    if (entry != null) {
      List<NodeState> named = named(topology, primaries);
      boolean isOneServer = !named.isEmpty() && topology.entriesOf(named.get(0)).containsAll(named);
      return isOneServer ? named.get(0) : null;
    }
    if (primaries.size() != 1) {
      return null;
    }
    return topology.entriesOf(primaries.get(0)).stream()
        .filter(node -> node.endpoint().equals(published.primary().endpoint()))
        .findFirst()
        .orElse(primaries.get(0));
  }

  /** Returns the entries with exactly this name; otherwise, those with this address or host. */
  private List<NodeState> named(Topology topology, List<NodeState> primaries) {
    List<NodeState> entries =
        primaries.stream().flatMap(primary -> topology.entriesOf(primary).stream()).toList();
    List<NodeState> exact =
        entries.stream().filter(node -> isNamed(node.node().name(), node.endpoint())).toList();
    return exact.isEmpty()
        ? entries.stream()
            .filter(node -> isNamed(node.address(), node.node().hostAndPort()))
            .toList()
        : exact;
  }

  private boolean isNamed(String... names) {
    return Stream.of(names).anyMatch(entry::equalsIgnoreCase);
  }

  private String problem(Topology topology, List<NodeState> primaries) {
    String which =
        primaries.stream().map(OverrulePlanner::described).collect(Collectors.joining(", "));
    if (primaries.isEmpty()) {
      return "overrule: no node answers as a primary: " + topology;
    }
    return entry == null || !named(topology, primaries).isEmpty()
        ? "overrule: several primaries answer; name the one to publish: " + which
        : "overrule: %s names no node that answers as a primary; these do: %s"
            .formatted(ForeignText.clean(entry), which);
  }

  private static String described(NodeState primary) {
    return "%s at %s%s"
        .formatted(
            primary.node(),
            primary.endpoint(),
            primary.server().timeline() == null
                ? ""
                : " on timeline " + primary.server().timeline());
  }

  private static List<Set<String>> aliases(Memory known, PublishedPrimary primary) {
    List<Set<String>> groups =
        new ArrayList<>(
            known.aliases().stream()
                .filter(group -> primary.entries().stream().noneMatch(group::contains))
                .toList());
    if (primary.entries().size() > 1) {
      groups.add(Set.copyOf(primary.entries()));
    }
    return groups;
  }

  // --- what people see --------------------------------------------------------------------------

  private String text(
      Topology topology,
      LastPublished published,
      Memory known,
      NodeState chosen,
      PublishedPrimary primary,
      long generation,
      List<Plan> plans) {
    List<String> lines = new ArrayList<>();
    lines.add("To be published, as generation " + generation + ":");
    lines.addAll(described(primary, chosen.server().systemIdentifier()));
    lines.add("");
    lines.add("To be forgotten, of generation " + published.generation() + ":");
    lines.addAll(described(published.primary(), published.systemIdentifier()));
    for (Rival rival : known.rivals()) {
      lines.add(
          "  %s was a primary beside another one since %s"
              .formatted(ForeignText.clean(rival.name()), seconds(rival.since())));
    }
    published.faults().forEach(fault -> lines.add("  " + ForeignText.clean(fault)));
    List<NodeState> others =
        topology.claimants().stream()
            .filter(other -> !topology.entriesOf(chosen).contains(other))
            .toList();
    if (!others.isEmpty()) {
      lines.add("");
      lines.add("Accepts writes beside it, and has to be fenced:");
      others.forEach(other -> lines.add("  " + described(other)));
    }
    lines.add("");
    plans.forEach(plan -> lines.add(diff(plan)));
    lines.add("");
    if (published.paused()) {
      lines.add(
          "The annotation "
              + Annotations.PAUSED
              + " stays: this change is written anyway; later changes are not written until the"
              + " annotation is removed.");
    }
    lines.add(confirmed ? "This is written now." : "Nothing is written. To write it, add --yes.");
    return String.join(System.lineSeparator(), lines);
  }

  private static List<String> described(PublishedPrimary primary, String identifier) {
    List<String> lines = new ArrayList<>();
    lines.add(
        primary.endpoint() == null
            ? "  no primary"
            : "  primary%s at %s"
                .formatted(
                    primary.name() == null ? "" : " " + ForeignText.clean(primary.name()),
                    String.join(", ", primary.entries())));
    lines.add(
        "  system identifier %s, %s%s"
            .formatted(
                identifier == null ? "unknown" : identifier,
                primary.line() == null ? "timeline unknown" : primary.line(),
                primary.startedAt() == null
                    ? ""
                    : ", started "
                        + seconds(Instant.EPOCH.plus(primary.startedAt(), ChronoUnit.MICROS))));
    return lines;
  }

  private static Instant seconds(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS);
  }

  private static String diff(Plan plan) {
    return plan.inForce().stream()
        .map(Publication::diff)
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
