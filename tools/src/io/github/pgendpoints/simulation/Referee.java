package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PrimaryClass;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Checks every verdict against the real state of the world. */
final class Referee {
  private static final int SETTLED_SECONDS = 30;
  private static final int MIN_PROBES = 3;

  /** The branch and the server that a stored primary really stands for. */
  private record Tag(Branch branch, Machine machine) {}

  private record Key(Line line, Long startedAt) {
    static Key of(PublishedPrimary primary) {
      return new Key(primary.line(), primary.startedAt());
    }
  }

  /** A primary of a split brain, with the entries it had at that time. */
  private static final class Track {
    final List<NodeState> entries = new ArrayList<>();
    long downSince = -1;
    int probes;

    boolean isListedIn(Topology topology) {
      return entries.stream()
          .allMatch(
              entry ->
                  topology.nodes().stream()
                      .anyMatch(
                          node ->
                              entry.endpoint().equals(node.endpoint())
                                  || entry.node().equals(node.node())));
    }
  }

  private final Run run;
  private final World world;
  private final Map<Key, Tag> tags = new HashMap<>();
  private final Map<Machine, Track> rivals = new HashMap<>();
  private final Set<Branch> left = new HashSet<>();
  private Branch current;
  private String lastVerified;

  Referee(Run run) {
    this.run = run;
    this.world = run.world;
  }

  /** What a cycle saw, with the real server behind each node. */
  private final class Sight {
    final LastPublished published;
    final Topology topology;
    final Tag tag;
    final String own;
    final Set<Machine> answering = new LinkedHashSet<>();
    final Set<Machine> primaries = new LinkedHashSet<>();
    final Set<Machine> possible = new LinkedHashSet<>();
    final Map<Machine, NodeState> standbys = new HashMap<>();
    final Set<Machine> listed = new HashSet<>();
    final boolean noMajority;
    Machine full;

    Sight(LastPublished published, Topology topology) {
      this.published = published;
      this.topology = topology;
      tag = published.line() == null ? null : tags.get(Key.of(published.primary()));
      if (published.line() != null && tag == null) {
        throw new Violation("bookkeeping", "no cycle verified " + published.primary());
      }
      Map<String, Set<Machine>> votes = new HashMap<>();
      for (NodeState node : topology.nodes()) {
        Machine machine = world.behind(node);
        if (machine != null) {
          listed.add(machine);
          if (node.server() != null) {
            votes.computeIfAbsent(machine.branch.cluster, any -> new HashSet<>()).add(machine);
          }
        }
      }
      String identifier = published.systemIdentifier();
      if (identifier == null) {
        int all = votes.values().stream().mapToInt(Set::size).sum();
        for (Map.Entry<String, Set<Machine>> vote : votes.entrySet()) {
          identifier = vote.getValue().size() * 2 > all ? vote.getKey() : identifier;
        }
      }
      own = identifier;
      noMajority = own == null && votes.size() > 1;
      for (NodeState node : topology.nodes()) {
        Machine machine = world.behind(node);
        if (machine == null || !machine.branch.cluster.equals(own)) {
          continue;
        }
        if (node.server() != null) {
          answering.add(machine);
          if (node.state() == State.PRIMARY) {
            primaries.add(machine);
            if (!isProvablyDead(node, machine)) {
              possible.add(machine);
            }
          } else if (node.state() == State.STANDBY) {
            standbys.putIfAbsent(machine, node);
          }
        }
      }
      for (NodeState node : topology.nodes()) {
        Machine machine = world.behind(node);
        boolean there =
            node.failure() == io.github.pgendpoints.topology.Failure.FULL
                && machine.primary
                && machine.branch.cluster.equals(own)
                && !answering.contains(machine)
                && published.primary().entries().contains(node.endpoint());
        full = there ? machine : full;
      }
    }

    private boolean isProvablyDead(NodeState node, Machine machine) {
      Line line = published.line();
      Long timeline = node.server().timeline();
      if (line == null || timeline == null) {
        return false;
      }
      if (timeline < line.timeline()) {
        return true;
      }
      if (timeline == line.timeline()) {
        return line.begin() != null
            && isHistoryRead(node)
            && machine.branch.begin != line.begin().bytes();
      }
      return isHistoryRead(node) && machine.branch.looksLike(line, true) == null;
    }

    int reachable() {
      return answering.size() + (full == null ? 0 : 1);
    }

    int quorum() {
      return run.setup.majority() ? listed.size() / 2 + 1 : 1;
    }

    int couldBePrimary() {
      return possible.size() + (full == null ? 0 : 1);
    }

    boolean nothingOfOurs() {
      return topology.nodes().stream()
          .filter(node -> node.endpoint() != null)
          .noneMatch(
              node ->
                  published.readWrite().contains(node.endpoint())
                      || published.readOnly().contains(node.endpoint())
                      || isPublishedEntry(node));
    }

    boolean isPublishedEntry(NodeState node) {
      return published.primary().entries().contains(node.endpoint())
          || node.node().name().equals(published.primary().name());
    }
  }

  private static boolean isHistoryRead(NodeState node) {
    Long timeline = node.server().timeline();
    HistoryAnswer answer = node.server().history();
    return timeline != null && (timeline == 1 || answer != null && answer.isRead());
  }

  private static void require(boolean holds, String invariant, Supplier<String> details) {
    if (!holds) {
      throw new Violation(invariant, details.get());
    }
  }

  // Bookkeeping.

  void forgetRivals() {
    rivals.clear();
  }

  /**
   * Records that a process ended between two writes. Two lines are then stored, and the higher one
   * applies. That is the older line if the published server follows a lower timeline.
   */
  void interrupted() {
    lastVerified = null;
  }

  void renamed(PublishedPrimary was, PublishedPrimary is) {
    Tag tag = tags.get(Key.of(was));
    if (tag != null) {
      tags.put(Key.of(is), tag);
    }
  }

  void overruled(PublishedPrimary primary, Machine machine) {
    tags.put(Key.of(primary), new Tag(machine.branch, machine));
    rivals.clear();
    left.clear();
    current = null;
    lastVerified = null;
  }

  // Checks of a verdict.

  void decided(
      LastPublished published,
      Memory before,
      Topology topology,
      Verdict verdict,
      Decision.Outcome outcome,
      SplittableRandom random) {
    Sight sight = new Sight(published, topology);
    require(
        sight.primaries.size() < 2 || verdict.hasErrors(),
        "error",
        () -> "several servers take writes");
    order(sight, verdict);
    if (verdict.isVerified()) {
      line(sight, verdict);
      readers(sight, verdict);
    }
    if (verdict.repair() != null) {
      require(!verdict.isVerified(), "repair", () -> "of a verified cycle");
    }
    switch (random.nextInt(8)) {
      case 0 -> shuffled(sight, before, verdict, random);
      case 1 -> withAlias(sight, before, verdict, random);
      case 2, 3 -> again(sight, verdict, outcome);
      default -> {}
    }
  }

  /** Checks that the verdict reports the first rule that applies. */
  private void order(Sight sight, Verdict verdict) {
    Rule rule = verdict.rule();
    boolean unreadable = !sight.published.faults().isEmpty();
    require(
        unreadable == (rule == Rule.UNREADABLE), "order", () -> rule + " with unreadable state");
    if (unreadable) {
      return;
    }
    require(
        sight.noMajority == (rule == Rule.NO_MAJORITY),
        "order",
        () -> rule + " with several clusters");
    if (sight.noMajority) {
      return;
    }
    require(
        sight.couldBePrimary() < 2 || rule == Rule.SPLIT_BRAIN,
        "two candidates",
        () -> rule + " with " + sight.possible + " full " + sight.full);
    if (rule == Rule.SPLIT_BRAIN) {
      return;
    }
    boolean givenIn = verdict.primaries().containsValue(PrimaryClass.TAKEN_OVER);
    boolean full = verdict.primary() != null && verdict.primary().server() == null;
    require(
        (verdict.primary() == null) == (rule == Rule.NO_PRIMARY),
        "order",
        () -> rule + " without a primary");
    require(
        sight.couldBePrimary() > 0 || givenIn || full || rule == Rule.NO_PRIMARY,
        "order",
        () -> rule + " without a primary");
    if (rule == Rule.NO_PRIMARY || rule == Rule.SPLIT_BRAIN_LASTS) {
      return;
    }
    boolean quorate = sight.reachable() >= sight.quorum() || full;
    require(quorate || rule == Rule.QUORUM, "order", () -> rule + " without a quorum");
    if (rule == Rule.QUORUM) {
      require(!verdict.isQuorate(), "order", () -> "a quorum is there");
      return;
    }
    NodeState node = verdict.primary();
    boolean isAnother =
        verdict.primaries().get(node.node()) == PrimaryClass.FIRST
            && sight.topology.entriesOf(node).stream().noneMatch(sight::isPublishedEntry);
    if (sight.nothingOfOurs() || isAnother) {
      boolean silent =
          sight.published.primary().name() != null
              && sight.topology.reachable().stream()
                  .allMatch(answered -> answered.server().timeline() == null);
      boolean enough = sight.reachable() * 2 > sight.listed.size() - (silent ? 1 : 0);
      boolean ahead =
          sight.standbys.values().stream()
              .anyMatch(standby -> standby.server().lsn().compareTo(node.server().lsn()) > 0);
      require(
          enough && !ahead || rule == Rule.FIRST_RUN,
          "first run",
          () -> rule + " on too few servers");
    } else {
      require(rule != Rule.FIRST_RUN, "first run", () -> "though the candidate is published");
    }
    if (rule == Rule.FIRST_RUN || full) {
      return;
    }
    PrimaryClass is = verdict.primaries().get(node.node());
    require(
        (is == PrimaryClass.TWIN) == (rule == Rule.PROMOTED_APART),
        "order",
        () -> rule + " of a " + is);
    if (rule == Rule.PROMOTED_APART) {
      return;
    }
    boolean unproven =
        sight.tag != null
            && (node.server().timeline() == null
                ? is != PrimaryClass.NO_TIMELINE
                : is != PrimaryClass.TAKEN_OVER
                    && node.server().timeline() > sight.published.line().timeline()
                    && !isHistoryRead(node)
                    && (sight.published.line().begin() != null
                        || node.server().rights().contains(Right.HISTORY)));
    require(unproven == (rule == Rule.UNPROVEN), "unproven", () -> rule + " of a " + is);
    if (rule == Rule.UNPROVEN) {
      return;
    }
    Machine machine = world.behind(node);
    boolean newer =
        node.server().timeline() != null
            && sight.standbys.entrySet().stream()
                .anyMatch(
                    entry ->
                        entry.getValue().server().timeline() != null
                            && isHistoryRead(entry.getValue())
                            && entry.getKey().branch != machine.branch
                            && entry.getKey().branch.descendsFrom(machine.branch));
    require(
        !newer || is == PrimaryClass.PUBLISHED && verdict.hasErrors() || rule == Rule.NEWER_LINE,
        "newer line",
        () -> rule + " of a " + is);
  }

  /** Checks that RW stays on the published line. */
  private void line(Sight sight, Verdict verdict) {
    NodeState node = verdict.primary();
    Machine machine = world.behind(node);
    Line stored = sight.published.line();
    PrimaryClass is = verdict.primaries().get(node.node());
    PublishedPrimary publishing = verdict.publishing();
    if (node.server() == null) {
      require(
          sight.isPublishedEntry(node), "wrong line", () -> "a full server that was not published");
      return;
    }
    require(
        node.state() == State.PRIMARY && machine.primary, "wrong role", () -> machine.toString());
    require(machine.branch.cluster.equals(sight.own), "foreign", () -> machine.toString());
    require(
        publishing.entries().contains(node.endpoint())
            && publishing.endpoint().equals(node.endpoint())
            && publishing.name().equals(node.node().name()),
        "stored",
        () -> publishing + " of " + node);
    Long timeline = node.server().timeline();
    boolean granted = node.server().rights().contains(Right.HISTORY);
    if (timeline != null) {
      Lsn begin = publishing.line().begin();
      require(
          publishing.line().timeline() == machine.branch.timeline
              && (begin == null || !isHistoryRead(node) || begin.bytes() == machine.branch.begin)
              && (begin == null || granted)
              && (begin != null || !granted || !isHistoryRead(node)),
          "stored",
          () -> publishing + " of " + machine);
    }
    if (sight.tag == null) {
      require(is == PrimaryClass.FIRST, "wrong line", () -> "the first one is " + is);
      return;
    }
    if (timeline == null) {
      require(
          is == PrimaryClass.NO_TIMELINE
              && (stored.begin() == null
                  || sight.isPublishedEntry(node)
                  || Objects.equals(
                      sight.published.primary().startedAt(), node.server().startedAt())),
          "wrong line",
          () -> "no timeline, and " + is);
      return;
    }
    Branch published = sight.tag.branch();
    if (is == PrimaryClass.TAKEN_OVER) {
      boolean given =
          sight.standbys.entrySet().stream()
              .anyMatch(
                  entry ->
                      sight.topology.nodes().stream()
                              .anyMatch(
                                  listed ->
                                      world.behind(listed) == entry.getKey()
                                          && sight.isPublishedEntry(listed))
                          && looksOnTheWay(entry.getKey(), machine, false)
                          && (timeline != stored.timeline() || entry.getKey().upstream == machine));
      require(given, "given in", () -> "no primary gave in to " + machine);
      return;
    }
    if (is == PrimaryClass.MOVED) {
      long followers =
          sight.standbys.keySet().stream().filter(standby -> standby.upstream == machine).count();
      boolean gone =
          sight.topology.nodes().stream().noneMatch(sight::isPublishedEntry)
              && isNobodyAtPublishedEntries(sight);
      require(
          gone
              && followers * 2 > sight.listed.size() - 1
              && machine.branch.looksLike(stored, true) == machine.branch,
          "moved",
          () -> followers + " follow " + machine);
      return;
    }
    if (machine.branch.descendsFrom(published)) {
      return;
    }
    // If the begin is unknown, the server at a published entry counts as the published server.
    Branch alike =
        machine.branch.looksLike(stored, isHistoryRead(node) || timeline > stored.timeline());
    boolean numbersDecide = stored.begin() == null && !isHistoryRead(node);
    require(
        alike != null || numbersDecide && timeline > stored.timeline(),
        "wrong line",
        () -> machine + " does not continue " + published);
    if (alike == machine.branch) {
      require(
          Objects.equals(sight.published.primary().startedAt(), machine.startedAt)
              || world.entries.entrySet().stream()
                  .anyMatch(
                      entry ->
                          world.at(entry.getValue()) == machine
                              && (sight
                                      .published
                                      .primary()
                                      .entries()
                                      .contains(World.endpoint(entry.getValue()))
                                  || entry.getKey().equals(sight.published.primary().name())
                                      && isNobodyAtPublishedEntries(sight))),
          "wrong line",
          () -> machine + " is a twin of " + published + " on " + sight.tag.machine());
    }
  }

  private boolean isNobodyAtPublishedEntries(Sight sight) {
    return sight.published.primary().entries().stream()
        .map(world::atEndpoint)
        .allMatch(old -> old == null || !old.running || old.cut);
  }

  /** Whether a server's position appears to be part of another server's history. */
  private static boolean looksOnTheWay(Machine machine, Machine to, boolean beginsAreTold) {
    if (machine.isOnTheWayTo(to)) {
      return true;
    }
    Branch alike = to.branch.looksLike(machine.branch, beginsAreTold);
    return alike != null && machine.lsn <= (alike == to.branch ? to.lsn : to.branch.endOf(alike));
  }

  /** Checks that RO has no standby whose reported timeline proves that it is off the line. */
  private void readers(Sight sight, Verdict verdict) {
    NodeState primary = verdict.primary();
    Machine candidate = world.behind(primary);
    ahead(sight, verdict);
    Set<String> members = new HashSet<>();
    verdict.readOnly().members().forEach(member -> members.add(member.endpoint()));
    for (NodeState node : sight.topology.nodes()) {
      Machine machine = world.behind(node);
      if (node.server() == null || node.endpoint() == null || !members.contains(node.endpoint())) {
        continue;
      }
      require(machine.branch.cluster.equals(sight.own), "reader", () -> "foreign " + machine);
      if (machine.primary) {
        require(machine == candidate, "reader", () -> "RO leads to the primary " + machine);
        continue;
      }
      if (primary.server() == null
          || primary.server().timeline() == null
          || node.server().timeline() == null
          || machine.isOnTheWayTo(candidate)) {
        continue;
      }
      if (machine.branch == candidate.branch) {
        // A standby ahead of the primary may stay: which of the two is wrong is unknown.
        require(
            sight.published.readOnly().contains(node.endpoint()),
            "reader",
            () -> machine + " enters ahead of " + candidate);
        continue;
      }
      boolean begins = isHistoryRead(node) && isHistoryRead(primary);
      boolean provable =
          isHistoryRead(primary) || machine.branch.timeline >= candidate.branch.timeline;
      Branch alike = candidate.branch.looksLike(machine.branch, begins);
      boolean keeps =
          alike == candidate.branch && sight.published.readOnly().contains(node.endpoint());
      require(
          !provable || looksOnTheWay(machine, candidate, begins) || keeps,
          "reader",
          () -> machine + " is not on the way to " + candidate);
    }
  }

  /** Checks that a standby ahead of the primary is an error, or stays if that is unconfirmed. */
  private void ahead(Sight sight, Verdict verdict) {
    NodeState primary = verdict.primary();
    if (primary.server() == null || primary.server().timeline() == null) {
      return;
    }
    boolean confirmed = !sight.topology.unconfirmed().contains(primary.node());
    for (Map.Entry<Machine, NodeState> entry : sight.standbys.entrySet()) {
      Server told = entry.getValue().server();
      boolean beyond =
          entry.getKey().branch == world.behind(primary).branch
              && told.timeline() != null
              && told.lsn().compareTo(primary.server().lsn()) > 0;
      require(
          !beyond || !confirmed || verdict.hasErrors(),
          "ahead",
          () -> entry.getKey() + " is ahead of the primary, and no error is reported");
      String endpoint = entry.getValue().endpoint();
      require(
          !beyond
              || confirmed
              || !sight.published.readOnly().contains(endpoint)
              || endpoints(verdict).contains(endpoint),
          "reader",
          () -> entry.getKey() + " leaves, though the primary confirmed nothing");
    }
  }

  /** Checks, in a repaired world, that RO has every fit standby on the line. */
  void requireReaders(Machine chosen, Verdict verdict) {
    if (!chosen.rights.contains(Right.HISTORY) || chosen.hardened) {
      return;
    }
    for (Machine machine : world.machines) {
      boolean fit =
          machine.answers()
              && !machine.primary
              && machine.rights.contains(Right.HISTORY)
              && machine.isOnTheWayTo(chosen);
      boolean in =
          world.ro.addresses.stream().map(world::atEndpoint).anyMatch(each -> each == machine);
      require(!fit || in, "readers", () -> machine + " is not read from; " + verdict.readOnly());
    }
  }

  // Checks that the same world leads to the same verdict.

  private void shuffled(Sight sight, Memory before, Verdict verdict, SplittableRandom random) {
    List<NodeState> nodes = new ArrayList<>(sight.topology.nodes());
    Collections.shuffle(nodes, new Random(random.nextLong()));
    Verdict other = run.ask(sight.published, before, with(sight.topology, nodes)).verdict();
    require(
        isSame(verdict, other) && verdict.primaries().equals(other.primaries()),
        "list order",
        () ->
            verdict.rule()
                + " "
                + verdict.publishing()
                + ", "
                + other.rule()
                + " "
                + other.publishing());
  }

  private static Topology with(Topology topology, List<NodeState> nodes) {
    return new Topology(nodes, topology.at(), topology.unconfirmed(), topology.unanswered());
  }

  private static boolean isSame(Verdict one, Verdict other) {
    return one.rule() == other.rule()
        && Objects.equals(one.publishing(), other.publishing())
        && Objects.equals(one.repair(), other.repair())
        && endpoints(one).equals(endpoints(other));
  }

  private static Set<String> endpoints(Verdict verdict) {
    Set<String> endpoints = new HashSet<>();
    if (verdict.readOnly() != null) {
      verdict.readOnly().members().forEach(member -> endpoints.add(member.endpoint()));
    }
    return endpoints;
  }

  private Set<Machine> machines(Verdict verdict) {
    Set<Machine> machines = new HashSet<>();
    endpoints(verdict).forEach(endpoint -> machines.add(world.atEndpoint(endpoint)));
    return machines;
  }

  private void withAlias(Sight sight, Memory before, Verdict verdict, SplittableRandom random) {
    List<NodeState> nodes = new ArrayList<>(sight.topology.nodes());
    NodeState aliased = nodes.get(random.nextInt(nodes.size()));
    String address = aliased.address();
    if (aliased.server() == null
        || address.equals(World.second(world.behind(aliased)))
        || world.entries.containsValue(World.second(world.behind(aliased)))
        || isPublished(sight.published, World.second(world.behind(aliased)))) {
      return;
    }
    Node node = Node.of(aliased.node().name() + "x", World.PORT, World.PORT);
    NodeState alias =
        NodeState.answered(
            node, aliased.state(), World.second(world.behind(aliased)), aliased.server());
    nodes.add(random.nextInt(nodes.size()), alias);
    Topology topology =
        sight.topology.unconfirmed().contains(aliased.node()) ? null : with(sight.topology, nodes);
    if (topology == null) {
      return;
    }
    Verdict other = run.ask(sight.published, before, topology).verdict();
    require(
        other.rule() == verdict.rule()
            && run.machine(other.primary()) == run.machine(verdict.primary())
            && Objects.equals(other.repair(), verdict.repair())
            && machines(other).equals(machines(verdict)),
        "alias",
        () ->
            verdict.rule()
                + " "
                + verdict.readOnly()
                + ", with an alias of "
                + aliased
                + " "
                + other.rule()
                + " "
                + other.readOnly());
  }

  /** Whether a Service has this address. Listing it again then adds information. */
  private static boolean isPublished(LastPublished published, String address) {
    String endpoint = World.endpoint(address);
    return published.readWrite().contains(endpoint) || published.readOnly().contains(endpoint);
  }

  /** Checks that the decision stays the same once it is published. */
  private void again(Sight sight, Verdict verdict, Decision.Outcome outcome) {
    PrimaryClass is =
        verdict.primary() == null ? null : verdict.primaries().get(verdict.primary().node());
    boolean continues = is == PrimaryClass.PUBLISHED || is == PrimaryClass.SUCCESSOR;
    boolean another =
        verdict.isVerified()
            && !Objects.equals(verdict.publishing().line(), sight.published.line());
    boolean begins =
        another
            && verdict.publishing().line() != null
            && verdict.publishing().line().begin() != null;
    boolean mayLookAlike = !continues || another && (run.setup.equalBegins() || !begins);
    if (mayLookAlike && verdict.primaries().containsValue(PrimaryClass.DEAD_BRANCH)) {
      // Its servers may descend from the other line: the decision then holds from the next cycle.
      return;
    }
    LastPublished published = sight.published;
    Memory memory = outcome.memory();
    if (verdict.isVerified()) {
      String identifier =
          verdict.publishing().systemIdentifier() == null
              ? published.systemIdentifier()
              : verdict.publishing().systemIdentifier();
      if (identifier == null) {
        return;
      }
      published =
          new LastPublished(
              verdict.publishing(),
              identifier,
              Set.of(verdict.primary().endpoint()),
              endpoints(verdict),
              published.generation(),
              published.paused(),
              published.faults());
      memory = memory.publishing(verdict.publishing());
    }
    Decision.Outcome again = run.ask(published, memory, sight.topology);
    require(
        again.verdict().rule() == verdict.rule()
            && Objects.equals(again.verdict().publishing(), verdict.publishing())
            && endpoints(again.verdict()).equals(endpoints(verdict))
            && comesToRest(published, memory, again.memory(), sight.topology),
        "fixed point",
        () ->
            verdict.rule()
                + " "
                + verdict.publishing()
                + " "
                + endpoints(verdict)
                + ", then "
                + again.verdict().rule()
                + " "
                + again.verdict().publishing()
                + " "
                + endpoints(again.verdict()));
  }

  /** Whether the memory settles: a cycle after another server was published may add an entry. */
  private boolean comesToRest(
      LastPublished published, Memory memory, Memory next, Topology topology) {
    return next.isSameForOthers(memory)
        || run.ask(published, next, topology).memory().isSameForOthers(next);
  }

  // Records after a cycle.

  /** Records what a cycle saw of the rivals, even when the cycle could not save its memory. */
  void probed(LastPublished published, Topology topology, Verdict verdict) {
    Sight sight = new Sight(published, topology);
    boolean clean = verdict.primary() != null && published.faults().isEmpty();
    for (Iterator<Map.Entry<Machine, Track>> all = rivals.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Machine, Track> rival = all.next();
      Machine machine = rival.getKey();
      Track track = rival.getValue();
      List<NodeState> there =
          topology.nodes().stream().filter(node -> world.behind(node) == machine).toList();
      boolean answers = there.stream().anyMatch(node -> node.server() != null);
      boolean takesWrites = sight.possible.contains(machine);
      if (!track.isListedIn(topology) || answers && !takesWrites) {
        all.remove();
      } else if (clean && there.stream().allMatch(node -> node.state() == State.DOWN)) {
        track.downSince = track.downSince < 0 ? world.seconds : track.downSince;
        track.probes++;
      } else {
        track.downSince = -1;
        track.probes = 0;
      }
    }
  }

  /** Records a verdict whose memory was saved. */
  void saved(LastPublished published, Topology topology, Verdict verdict) {
    Sight sight = new Sight(published, topology);
    // A restart forgets a split brain that was not saved in STATE.
    if (verdict.rule() == Rule.SPLIT_BRAIN && !world.state.behind) {
      for (NodeState node : topology.nodes()) {
        Machine machine = world.behind(node);
        if (node.server() != null && sight.possible.contains(machine)) {
          Track track = rivals.computeIfAbsent(machine, any -> new Track());
          if (track.entries.stream().noneMatch(entry -> entry.node().equals(node.node()))) {
            track.entries.add(node);
          }
        }
      }
    }
    if (verdict.isVerified()) {
      over(published, verdict);
    }
    if (verdict.rule() == Rule.QUORUM || verdict.rule() == Rule.FIRST_RUN) {
      require(lasting(verdict) == null, "order", () -> verdict.rule() + " beside a rival");
    }
  }

  /** Checks that no rival can take writes any more, and forgets the rivals. */
  private void over(LastPublished published, Verdict verdict) {
    Machine machine = world.behind(verdict.primary());
    require(lasting(verdict) == null, "rival", () -> lasting(verdict) + " may take writes");
    Tag tag = published.line() == null ? null : tags.get(Key.of(published.primary()));
    PrimaryClass is = verdict.primaries().get(verdict.primary().node());
    if (!rivals.isEmpty()
        && rivals.keySet().stream().anyMatch(rival -> rival != machine)
        && tag != null
        && verdict.primary().server() != null
        && is == PrimaryClass.SUCCESSOR
        && machine.branch != tag.branch()
        && machine.branch.descendsFrom(tag.branch())) {
      for (Map.Entry<Node, ?> entry : verdict.standbys().entrySet()) {
        Machine standby = world.at(world.entries.get(entry.getKey().name()));
        require(
            standby.branch != tag.branch()
                || !standby.rights.contains(Right.HISTORY)
                || standby.lsn <= machine.branch.endOf(tag.branch()),
            "rival",
            () -> standby + " has more of the published line than " + machine);
      }
    }
    rivals.clear();
  }

  /** Returns a rival that may still take writes; null if there is none. */
  private Machine lasting(Verdict verdict) {
    Machine candidate = run.machine(verdict.primary());
    for (Map.Entry<Machine, Track> rival : rivals.entrySet()) {
      Track track = rival.getValue();
      boolean gone =
          track.downSince >= 0
              && track.probes >= MIN_PROBES
              && world.seconds - track.downSince >= SETTLED_SECONDS;
      if (rival.getKey() != candidate && !gone) {
        return rival.getKey();
      }
    }
    return null;
  }

  /** Checks and records a write to RW, before the write. */
  void publishing(LastPublished published, Verdict verdict) {
    Machine machine = world.behind(verdict.primary());
    PrimaryClass is = verdict.primaries().get(verdict.primary().node());
    boolean forgotten = published.line() == null || !isRemembered(current);
    if (verdict.publishing().line() != null && verdict.primary().server() != null) {
      boolean told = verdict.primary().server().timeline() != null;
      if (told) {
        tags.put(Key.of(verdict.publishing()), new Tag(machine.branch, machine));
        if (machine.branch != current) {
          require(
              forgotten
                  || is == PrimaryClass.TAKEN_OVER
                  || is == PrimaryClass.MOVED
                  || !left.contains(machine.branch)
                  || run.setup.grants() != Setup.Grants.ALL,
              "one move",
              () -> "RW goes back to " + machine);
          if (forgotten || is == PrimaryClass.TAKEN_OVER) {
            // The published line is lost, or an operator chose an earlier line. Descendants of the
            // new line may follow once more.
            left.clear();
          } else if (current != null) {
            left.add(current);
          }
          current = machine.branch;
        }
      } else if (published.line() != null) {
        tags.put(Key.of(verdict.publishing()), tags.get(Key.of(published.primary())));
      }
    }
    lastVerified = verdict.publishing().endpoint();
  }

  /** Whether an object, STATE or the process still names a primary of a branch. */
  private boolean isRemembered(Branch branch) {
    PublishedPrimary inState =
        world.state.stored == null ? PublishedPrimary.none() : world.state.stored.primary();
    return Stream.of(world.rw.primary, world.ro.primary, inState, run.remembered())
        .map(primary -> tags.get(Key.of(primary)))
        .anyMatch(tag -> tag != null && tag.branch() == branch);
  }

  /** Checks a repair, which puts back an earlier RW endpoint, before its write. */
  void repairing(LastPublished published, Topology topology, String endpoint) {
    require(
        lastVerified == null || endpoint.equals(lastVerified),
        "repair",
        () -> endpoint + ", and the one verified last is " + lastVerified);
    Sight sight = new Sight(published, topology);
    for (NodeState node : topology.nodes()) {
      Machine machine = world.behind(node);
      if (endpoint.equals(node.endpoint()) && node.server() != null) {
        require(
            machine.branch.cluster.equals(sight.own)
                && (!machine.primary || sight.possible.contains(machine)),
            "repair",
            () -> "to " + machine);
      }
      if (node.endpoint() != null && published.readWrite().contains(node.endpoint())) {
        require(
            node.server() != null
                && !sight.possible.contains(machine)
                && !sight.standbys.containsKey(machine),
            "repair",
            () -> "from " + machine);
      }
    }
  }

  // The end of a run.

  /** Returns the primary that provably continues the published line; null if there is none. */
  Machine eligible(LastPublished published) {
    Tag tag = published.line() == null ? null : tags.get(Key.of(published.primary()));
    Machine best = null;
    for (Machine machine : world.machines) {
      if (!machine.primary || !machine.running) {
        continue;
      }
      if (published.systemIdentifier() != null
          && !published.systemIdentifier().equals(machine.branch.cluster)) {
        continue;
      }
      boolean eligible;
      if (tag == null) {
        eligible = true;
      } else if (machine.hardened) {
        eligible = published.line().begin() == null || isPublishedServer(published, machine);
      } else if (machine.branch == tag.branch()) {
        eligible =
            (published.line().begin() == null
                    || !machine.rights.contains(Right.HISTORY)
                    || published.line().begin().bytes() == machine.branch.begin)
                && isPublishedServer(published, machine);
      } else {
        eligible =
            machine.branch.descendsFrom(tag.branch())
                && (published.line().begin() == null
                    || machine.rights.contains(Right.HISTORY)
                        // An in-place restore while the history was unreadable left the old begin.
                        && machine.branch.looksLike(published.line(), true) != null);
      }
      if (eligible && (best == null || machine.branch.timeline > best.branch.timeline)) {
        best = machine;
      }
    }
    return best;
  }

  private boolean isPublishedServer(LastPublished published, Machine machine) {
    return Objects.equals(published.primary().startedAt(), machine.startedAt)
        || published.primary().entries().contains(World.endpoint(machine.address))
        || machine.name.equals(published.primary().name())
            && !isAnotherServerStored(published, machine);
  }

  /** Whether another server has the stored address. A matching name does not outweigh that. */
  private boolean isAnotherServerStored(LastPublished published, Machine machine) {
    return published.primary().entries().stream()
        .map(world::atEndpoint)
        .anyMatch(other -> other != null && other != machine);
  }

  /**
   * Returns a primary that only other servers can confirm: the published server at a new address,
   * or the upstream of the published server; null if there is none.
   */
  Machine vouchedFor(LastPublished published) {
    Tag tag = published.line() == null ? null : tags.get(Key.of(published.primary()));
    if (tag == null || published.line().begin() == null || run.setup.grants() != Setup.Grants.ALL) {
      return null;
    }
    for (Machine machine : world.machines) {
      boolean canBe =
          machine.primary
              && machine.running
              && !machine.hardened
              && machine.branch.cluster.equals(tag.branch().cluster);
      boolean moved =
          machine.branch == tag.branch()
              && published.line().begin().bytes() == machine.branch.begin
              && world.machines.size() > 1
              && world.entries.values().stream().allMatch(address -> world.at(address) != null)
              && !published.primary().entries().isEmpty()
              && published.primary().entries().stream()
                  .allMatch(entry -> world.atEndpoint(entry) == null)
              && world.entries.keySet().stream()
                  .noneMatch(name -> name.equals(published.primary().name()));
      boolean followed =
          world.machines.stream()
              .anyMatch(
                  other ->
                      other.running
                          && !other.primary
                          && other.upstream == machine
                          && other.isOnTheWayTo(machine)
                          && world.entries.entrySet().stream()
                              .anyMatch(
                                  entry ->
                                      world.at(entry.getValue()) == other
                                          && (entry.getKey().equals(published.primary().name())
                                              || published
                                                  .primary()
                                                  .entries()
                                                  .contains(World.endpoint(entry.getValue())))));
      if (canBe && (moved || followed)) {
        return machine;
      }
    }
    return null;
  }

  /** Fences each server that looks like the chosen one. Zombies that look different may stay. */
  void neutralize(LastPublished published, Machine chosen, SplittableRandom random) {
    Tag tag = published.line() == null ? null : tags.get(Key.of(published.primary()));
    // The current RW endpoint does not count: a repair may reset it to an unlisted address.
    boolean firstRun =
        world.entries.entrySet().stream()
            .noneMatch(
                entry ->
                    entry.getKey().equals(published.primary().name())
                        || published.primary().entries().contains(World.endpoint(entry.getValue()))
                        || published.readOnly().contains(World.endpoint(entry.getValue())));
    // The published server must show that it is no primary any more.
    boolean isOutlived = run.process().rivals().stream().anyMatch(Rival::isOutlived);
    boolean all = tag == null || firstRun || run.setup.majority() || chosen.hardened || isOutlived;
    for (Machine machine : world.machines) {
      if (machine == chosen) {
        continue;
      }
      boolean ours = machine.branch.cluster.equals(chosen.branch.cluster);
      // With one process per cycle, no process sees a rival DOWN for 30 s.
      boolean mayNotBeDown = run.setup.form() == Setup.Form.ONCE && run.setup.state();
      if (all || mayNotBeDown && !machine.running || !ours && random.nextBoolean()) {
        world.rebuild(machine, chosen);
      } else if (machine.primary && ours) {
        // An operator may have made the published server a standby of a zombie.
        boolean hasGivenIn =
            world.machines.stream()
                .filter(other -> !other.primary)
                .filter(
                    other ->
                        other.name.equals(published.primary().name())
                            || published.primary().entries().contains(World.endpoint(other.address))
                            || published
                                .primary()
                                .entries()
                                .contains(World.endpoint(World.second(other))))
                .anyMatch(other -> looksOnTheWay(other, machine, false));
        // A server with a branch like the chosen server's in its history looks like its successor.
        boolean dead =
            !machine.hardened
                && !hasGivenIn
                && machine.branch.looksLike(chosen.branch, true) == null
                && (machine.branch.timeline < published.line().timeline()
                    || machine.rights.contains(Right.HISTORY)
                        && chosen.rights.contains(Right.HISTORY)
                        && published.line().begin() != null
                        && machine.branch.looksLike(published.line(), true) == null);
        if (dead) {
          if (random.nextInt(4) > 0) {
            world.start(machine);
          }
        } else if (!mayNotBeDown && random.nextBoolean()) {
          machine.running = false;
        } else {
          world.rebuild(machine, chosen);
        }
      } else if (ours) {
        boolean mayHaveMore =
            machine.branch.timeline > chosen.branch.timeline
                || machine.branch.timeline == tag.branch().timeline
                    && !looksOnTheWay(machine, chosen, false);
        if (mayHaveMore) {
          world.rebuild(machine, chosen);
        } else if (random.nextBoolean()) {
          world.start(machine);
        }
      }
    }
  }
}
