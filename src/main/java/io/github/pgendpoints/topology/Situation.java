package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The facts of one cycle that the rules evaluate.
 *
 * @param published what is published, completed by memory
 * @param memory the memory with the probe results of this cycle, except for the rivals
 * @param asked every node, in the order of the node list
 * @param topology the nodes that count, the published entries first, so that neither the order of
 *     PG_NODES nor an alias changes a verdict
 * @param unknownAliases the nodes that are ignored
 * @param classes the classes of the primaries of our cluster
 * @param candidates the servers that could be the primary
 * @param rivals the remembered rivals after this cycle
 */
record Situation(
    LastPublished published,
    Memory memory,
    Topology asked,
    Topology topology,
    DecisionSettings settings,
    Decision tables,
    List<NodeState> unknownAliases,
    Map<Node, PrimaryClass> classes,
    List<NodeState> candidates,
    List<Rival> rivals) {

  static Situation of(
      LastPublished published,
      Memory known,
      Topology asked,
      DecisionSettings settings,
      Decision tables) {
    List<NodeState> aliases = published.primary().unknownAliases(asked);
    Set<Node> ignored = aliases.stream().map(NodeState::node).collect(Collectors.toSet());
    Topology counted = asked.arranged(ignored, published.order());
    Map<Node, PrimaryClass> classes = new LinkedHashMap<>();
    for (NodeState primary : counted.primaries()) {
      classes.put(
          primary.node(),
          TableRow.first(tables.primaries(), new PrimaryCase(primary, published, counted)));
    }
    Situation now =
        new Situation(
            published,
            known.observing(counted, published.primary()),
            asked,
            counted,
            settings,
            tables,
            aliases,
            classes,
            candidates(counted, published.primary(), classes),
            List.of());
    return now.withRivals(
        known.rivals().stream()
            .map(rival -> rival.after(now, known.hysteresis()))
            .filter(Objects::nonNull)
            .toList());
  }

  private Situation withRivals(List<Rival> counted) {
    return new Situation(
        published,
        memory.with(memory.hysteresis().trending(topology, candidate())),
        asked,
        topology,
        settings,
        tables,
        unknownAliases,
        classes,
        candidates,
        counted);
  }

  private static List<NodeState> candidates(
      Topology topology, PublishedPrimary published, Map<Node, PrimaryClass> classes) {
    List<NodeState> candidates =
        new ArrayList<>(
            topology.primaries().stream()
                .filter(primary -> classes.get(primary.node()).isCandidate())
                .toList());
    published
        .fullIn(topology)
        .or(() -> candidates.isEmpty() ? Optional.empty() : published.refusingIn(topology))
        .filter(mute -> !classes.containsValue(PrimaryClass.PUBLISHED))
        .filter(
            mute ->
                candidates.stream()
                    .noneMatch(other -> other.server().replicas().contains(mute.address())))
        .ifPresent(candidates::add);
    return List.copyOf(candidates);
  }

  /** The one candidate; null when there is none, or several. */
  NodeState candidate() {
    return candidates.size() == 1 ? candidates.get(0) : null;
  }

  /** Whether the one candidate is of this class; a full one is the published primary. */
  boolean candidateIs(PrimaryClass wanted) {
    return wanted
        == (candidate().isFull() ? PrimaryClass.PUBLISHED : classes.get(candidate().node()));
  }

  List<NodeState> deadBranches() {
    return topology.primaries().stream()
        .filter(primary -> classes.get(primary.node()) == PrimaryClass.DEAD_BRANCH)
        .toList();
  }

  /** Whether a node is proven wrong for writes. */
  private boolean isDeadOrForeign(NodeState node) {
    return node.state() == State.FOREIGN
        || deadBranches().stream().anyMatch(dead -> dead == node || node.isSameServerAs(dead));
  }

  /** Counts the servers of our cluster that answered, even if only to refuse a login. */
  int reachable() {
    int mute = (int) candidates.stream().filter(candidate -> !candidate.hasAnswered()).count();
    return topology.reachable().size() + mute;
  }

  int listed() {
    return topology.listed(memory.aliases());
  }

  int quorum() {
    return settings.quorum().of(listed());
  }

  /**
   * Whether no listed node was ever published, so that there is nothing to keep; or no line was,
   * and the candidate is another server than the published one, which nothing proves right.
   */
  boolean isFirstRun() {
    return isAnotherFirst() || topology.nodes().stream().noneMatch(published::names);
  }

  boolean isAnotherFirst() {
    return candidateIs(PrimaryClass.FIRST)
        && topology.entriesOf(candidate()).stream().noneMatch(published.primary()::isListedAs);
  }

  /** On a first run, a server that does not answer may be a later primary. */
  boolean isEnoughToBeginWith() {
    return (reachable() > listed() / 2 || isHalfEnough())
        && topology.standbys().stream()
            .noneMatch(standby -> Topology.isAhead(standby, candidate()));
  }

  /** Two servers that report no timelines have published, and must be able to fail over. */
  private boolean isHalfEnough() {
    return published.primary().name() != null
        && topology.reachable().stream().allMatch(node -> node.server().timeline() == null)
        && 2 * reachable() >= listed();
  }

  /** If no history is available, a higher number counts as a promotion. */
  boolean mayNumbersDecide() {
    Server server = candidate().server();
    return server.timeline() != null
        && !server.withholdsCluster(published.line())
        && server.lineage().isNotGranted()
        && published.line().begin() == null
        && server.timeline() <= published.line().timeline() + Decision.CREDIBLE_JUMP;
  }

  /** The standbys that follow a line which continues the candidate's. */
  List<NodeState> onNewerLine() {
    if (candidate().server() == null || candidate().server().timeline() == null) {
      return List.of();
    }
    Line line = lineOf(candidate());
    return topology.standbys().stream()
        .filter(standby -> standbyCase(standby).followsNewerLine(line))
        .toList();
  }

  private StandbyCase standbyCase(NodeState standby) {
    return new StandbyCase(standby, candidate(), topology);
  }

  /** The line of a primary, with the published begin if it is that server and reports no begin. */
  private Line lineOf(NodeState primary) {
    Server server = primary.server();
    Line known = published.line();
    Lsn begin = server.begin();
    if (begin == null
        && classes.get(primary.node()) == PrimaryClass.PUBLISHED
        && known.timeline() == server.timeline()) {
      begin = known.begin();
    }
    String identifier =
        server.systemIdentifier() == null
            ? published.systemIdentifier()
            : server.systemIdentifier();
    return new Line(identifier, server.timeline(), begin);
  }

  /** The standbys with WAL of the published line that a new primary lacks, with the bytes. */
  Map<NodeState, Long> leftBehind() {
    Map<NodeState, Long> left = new LinkedHashMap<>();
    if (published.line() != null
        && candidate() != null
        && candidate().server() != null
        && !candidateIs(PrimaryClass.PUBLISHED)) {
      for (NodeState standby : topology.standbys()) {
        long bytes = standbyCase(standby).bytesBeyond(published.line());
        if (bytes > 0) {
          left.put(standby, bytes);
        }
      }
    }
    return left;
  }

  /** Whether a node is proven to accept no writes of our cluster. */
  boolean isNoPrimaryAnyMore(NodeState node) {
    boolean isStandby =
        node.state() == State.STANDBY
            && topology.primaries().stream().noneMatch(node::isSameServerAs);
    return isStandby || isDeadOrForeign(node);
  }

  /** Returns the memory for the next cycle. */
  Memory rememberedAfter(Rule rule) {
    if (rule == Rule.SPLIT_BRAIN) {
      return memory.withRivals(rivals).rememberingAsRivals(candidates, asked);
    }
    if (rule != Rule.VERIFIED) {
      return memory.withRivals(rivals);
    }
    List<NodeState> diverged =
        topology.standbys().stream()
            .filter(standby -> Topology.isAhead(standby, candidate()))
            .filter(standby -> !topology.unconfirmed().contains(candidate().node()))
            .toList();
    return memory
        .withRivals(new Rivals(this).afterVerified())
        .with(memory.hysteresis().diverging(diverged));
  }

  /** Returns the verdict of the rule that matched. */
  Verdict verdict(Rule rule) {
    Map<Node, StandbyClass> standbys = new LinkedHashMap<>();
    if (candidate() != null) {
      for (NodeState standby : topology.standbys()) {
        standbys.put(standby.node(), TableRow.first(tables.standbys(), standbyCase(standby)));
      }
    }
    boolean verified = rule == Rule.VERIFIED;
    ReadOnly readOnly =
        verified
            ? settings
                .readOnly()
                .pick(topology, candidate(), standbys, published, memory.hysteresis())
            : null;
    String repair = verified || rule == Rule.UNREADABLE ? null : repair();
    return new Verdict(
        rule,
        candidate(),
        classes,
        standbys,
        verified ? publishing() : null,
        readOnly,
        repair,
        reachable(),
        quorum(),
        new Reports(this, standbys, readOnly).of(rule));
  }

  /** Returns what to remember of the candidate once it is published. */
  private PublishedPrimary publishing() {
    PublishedPrimary known = published.primary();
    Server server = candidate().server();
    if (server == null) {
      return known;
    }
    Set<String> entries = new HashSet<>();
    for (NodeState entry : topology.entriesOf(candidate())) {
      entries.add(entry.endpoint());
      entries.addAll(memory.aliasesOf(entry.endpoint()));
    }
    if (candidateIs(PrimaryClass.PUBLISHED)) {
      known.entries().stream().filter(this::isListed).forEach(entries::add);
    }
    return known.followedBy(
        candidate(), entries, server.timeline() == null ? null : lineOf(candidate()));
  }

  /** Whether an entry is in PG_NODES, as far as its names resolve. */
  boolean isListed(String entry) {
    return asked.nodes().stream()
        .anyMatch(node -> node.endpoint() == null || node.endpoint().equals(entry));
  }

  /**
   * The address to restore in the read-write Service; null for no repair. A refusal keeps the last
   * verified address, but another writer may have replaced it with a server that is proven wrong.
   */
  private String repair() {
    String last = published.primary().endpoint();
    if (last == null) {
      return null;
    }
    boolean leadsWrong =
        topology.nodes().stream()
            .anyMatch(
                node ->
                    node.endpoint() != null
                        && published.readWrite().contains(node.endpoint())
                        && isDeadOrForeign(node));
    boolean lastIsWrong =
        topology.nodes().stream()
            .anyMatch(node -> last.equals(node.endpoint()) && isDeadOrForeign(node));
    return leadsWrong && !lastIsWrong ? last : null;
  }
}
