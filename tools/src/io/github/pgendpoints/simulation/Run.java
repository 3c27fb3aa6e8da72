package io.github.pgendpoints.simulation;

import io.github.pgendpoints.publish.ClusterMemory;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Report;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Rule;
import io.github.pgendpoints.topology.StandbyHysteresis;
import io.github.pgendpoints.topology.Tables;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Runs one sequence of actions and cycles and checks its invariants. */
final class Run {
  final Setup setup;
  final World world;
  final Referee referee;
  private final Decision tables;
  private final ClusterMemory[] processes = new ClusterMemory[2];
  private int leader;

  /** The memory of one process that sees every cycle and never restarts. */
  private Memory eternal;

  private boolean hasRestarted;
  private Memory before;
  private Decision.Outcome outcome;
  private Verdict last;
  private boolean wrote;
  long steps;
  List<String> trace;
  private String told;

  private Run(Decision tables, long seed) {
    this.tables = tables;
    this.setup = Setup.of(seed);
    this.world = new World(setup, new SplittableRandom(seed));
    this.referee = new Referee(this);
    this.eternal = Memory.empty(hysteresis());
  }

  /** Runs a sequence and returns the number of its steps. */
  static long of(Decision tables, long seed, int[] sequence) {
    Run run = new Run(tables, seed);
    run.play(sequence);
    return run.steps;
  }

  /** Runs a sequence and returns a readable log of it, including a failure. */
  static List<String> traced(Decision tables, long seed, int[] sequence) {
    Run run = new Run(tables, seed);
    run.trace = new ArrayList<>();
    run.tell(run.setup.toString());
    try {
      run.play(sequence);
    } catch (RuntimeException e) {
      run.tell(e.toString());
      for (int i = 0; i < Math.min(5, e.getStackTrace().length); i++) {
        run.tell("    " + e.getStackTrace()[i]);
      }
      run.tell(run.world.toString());
    }
    return run.trace;
  }

  private void tell(String line) {
    if (trace == null) {
      return;
    }
    String text = line.replaceFirst("^cycle \\d+", "cycle");
    if (!text.equals(told)) {
      trace.add(line);
      told = text;
    }
  }

  private void play(int[] sequence) {
    for (int step : sequence) {
      SplittableRandom random = new SplittableRandom(step);
      world.seconds += 1 + random.nextInt(6);
      if (random.nextInt(100) < 45) {
        if (random.nextInt(8) > 0) {
          world.replicate(random.nextInt(4) == 0 ? World.WAL : Long.MAX_VALUE / 4);
        }
        cycle(random);
      } else {
        Actions action = Actions.any(random);
        String done = action.run(this, random);
        if (done != null && trace != null) {
          tell(action + " " + done);
        }
        steps++;
      }
    }
    settle(new SplittableRandom(sequence.length == 0 ? 0 : sequence[sequence.length - 1]));
  }

  private StandbyHysteresis hysteresis() {
    return setup.form() == Setup.Form.ONCE
        ? StandbyHysteresis.none()
        : new StandbyHysteresis(2, 2, Setup.INTERVAL);
  }

  ClusterMemory process() {
    if (processes[leader] == null) {
      processes[leader] = newProcess();
    }
    return processes[leader];
  }

  private ClusterMemory newProcess() {
    return new ClusterMemory(
        Memory.empty(hysteresis()),
        setup.decision(),
        setup.state() ? world.state.store() : StateStore.none(),
        this::decide);
  }

  private Decision.Outcome decide(
      LastPublished published,
      Memory memory,
      Topology topology,
      io.github.pgendpoints.topology.DecisionSettings settings) {
    before = memory;
    outcome = Tables.decide(tables, published, memory, topology, settings);
    return outcome;
  }

  /** Returns the outcome for these inputs and does not store it. */
  Decision.Outcome ask(LastPublished published, Memory memory, Topology topology) {
    return Tables.decide(tables, published, memory, topology, setup.decision());
  }

  /** Returns the primary that the process of this cycle remembered from earlier cycles. */
  PublishedPrimary remembered() {
    return before.primary();
  }

  void restartManager() {
    processes[leader] = null;
    forgetUnlessStored();
  }

  void changeLeader() {
    if (setup.form() == Setup.Form.REPLICAS) {
      leader = 1 - leader;
      process().beginTerm();
      forgetUnlessStored();
    }
  }

  private void forgetUnlessStored() {
    hasRestarted = true;
    if (!setup.state() || world.state.behind) {
      referee.forgetRivals();
      eternal = null;
      world.state.behind = false;
    }
  }

  void strip(ServiceObject object, int how) {
    PublishedPrimary stripped = Actions.stripped(object.primary, how);
    referee.renamed(object.primary, stripped);
    object.primary = stripped;
  }

  /** Chooses a server as an operator does: in the objects and in STATE, with a new generation. */
  void overrule(Machine machine) {
    boolean granted = machine.rights.contains(Right.HISTORY) && !machine.failingHistory;
    boolean told = !machine.hardened;
    Set<String> entries = new HashSet<>();
    String name = null;
    for (var entry : world.entries.entrySet()) {
      if (world.at(entry.getValue()) == machine) {
        entries.add(World.endpoint(entry.getValue()));
        name = name == null ? entry.getKey() : name;
      }
    }
    if (name == null) {
      return;
    }
    Line line =
        told
            ? new Line(
                machine.branch.cluster,
                machine.branch.timeline,
                granted ? new Lsn(machine.branch.begin) : null)
            : null;
    long last =
        Math.max(
            Math.max(world.rw.generation, world.ro.generation),
            world.state.stored == null ? 0 : world.state.stored.generation());
    long generation = Math.max(last + 1, world.seconds);
    PublishedPrimary primary =
        new PublishedPrimary(line, entries.stream().sorted().toList(), name, machine.startedAt);
    world.rw.write(world.rw.addresses, primary, machine.branch.cluster, generation);
    world.ro.write(world.ro.addresses, primary, machine.branch.cluster, generation);
    if (setup.state()) {
      world.state.stored =
          new Memory(generation, primary, List.of(), List.of(), StandbyHysteresis.none(), null);
      world.state.version++;
    }
    world.rw.faulty = false;
    world.ro.faulty = false;
    referee.overruled(primary, machine);
    tell("overruled to " + machine.name);
  }

  // A cycle.

  void cycle(SplittableRandom random) {
    steps++;
    wrote = false;
    last = null;
    if (setup.form() == Setup.Form.ONCE) {
      restartManager();
    }
    boolean follower = setup.form() == Setup.Form.REPLICAS && random.nextInt(20) == 0;
    int crash = random.nextInt(40);
    boolean early = random.nextInt(6) == 0;
    boolean silent = random.nextInt(8) == 0;
    boolean dry = random.nextInt(40) == 0;
    // A dry run is a separate process. It knows only what is stored.
    ClusterMemory process = dry ? newProcess() : process();
    LastPublished stored = world.published();
    LastPublished published = process.recall(stored);
    Topology topology = world.ask(published, early, silent);
    Verdict verdict = process.decide(published, topology);
    Decision.Outcome decided = outcome;
    if (trace != null) {
      tell(
          "cycle %d%s of %s: %s %s -> RW %s RO %s repair %s | published %s rivals %s | classes %s %s | %s"
              .formatted(
                  world.seconds,
                  dry ? " (dry)" : "",
                  leader,
                  verdict.rule(),
                  topology,
                  verdict.publishing(),
                  verdict.readOnly() == null ? null : verdict.readOnly().members(),
                  verdict.repair(),
                  published.primary(),
                  before.rivals(),
                  verdict.primaries(),
                  verdict.standbys(),
                  verdict.reports().stream().map(Report::message).toList()));
    }
    referee.decided(published, before, topology, verdict, decided, random);
    if (dry) {
      return;
    }
    boolean stateWasRead = published.faults().equals(stored.faults());
    if (stateWasRead) {
      referee.probed(published, topology, verdict);
    }
    try {
      process.save();
    } catch (OutdatedTopologyException e) {
      // The process that never restarts also keeps what this cycle learned about the nodes.
      eternal = eternal == null ? null : ask(eternal.completed(stored), eternal, topology).memory();
      return;
    }
    if (crash == 0) {
      tell("crash after the memory was saved");
    }
    if (stateWasRead) {
      compareWithEternal(stored, topology, verdict, decided);
      referee.saved(published, topology, verdict);
    }
    last = verdict;
    if (crash == 0) {
      restartManager();
      return;
    }
    if (published.paused() || follower) {
      return;
    }
    if (verdict.isVerified()) {
      publish(process, published, verdict, crash);
    } else if (verdict.rule() == Rule.SPLIT_BRAIN && setup.clear() && verdict.isQuorate()) {
      world.rw.exists = true;
      wrote |= !world.rw.addresses.isEmpty();
      world.rw.addresses = Set.of();
    } else if (verdict.repair() != null && world.rw.exists) {
      referee.repairing(published, topology, verdict.repair());
      wrote = true;
      world.rw.addresses = Set.of(verdict.repair());
    }
  }

  private void publish(ClusterMemory process, LastPublished published, Verdict verdict, int crash) {
    String identifier =
        verdict.primary().server() == null || verdict.primary().server().systemIdentifier() == null
            ? published.systemIdentifier()
            : verdict.primary().server().systemIdentifier();
    PublishedPrimary primary = verdict.publishing();
    Set<String> to = Set.of(verdict.primary().endpoint());
    referee.publishing(published, verdict);
    wrote |= world.rw.write(to, primary, identifier, published.generation());
    if (crash == 1) {
      tell("crash after RW was written");
      referee.interrupted();
      restartManager();
      return;
    }
    Set<String> readers = new HashSet<>();
    verdict.readOnly().members().forEach(node -> readers.add(node.endpoint()));
    wrote |= world.ro.write(readers, primary, identifier, published.generation());
    if (crash == 2) {
      tell("crash after RO was written");
      referee.interrupted();
      restartManager();
      return;
    }
    process.rememberPublished(verdict);
    eternal = eternal == null ? null : eternal.publishing(primary);
    try {
      process.save();
    } catch (OutdatedTopologyException e) {
      throw new Violation("memory", "no other process wrote STATE");
    }
  }

  /** Checks that, with STATE, a restarted process decides as one that never restarted. */
  private void compareWithEternal(
      LastPublished stored, Topology topology, Verdict verdict, Decision.Outcome decided) {
    if (!setup.state()) {
      return;
    }
    if (eternal == null || !hasRestarted) {
      eternal = decided.memory();
      return;
    }
    Decision.Outcome other = ask(eternal.completed(stored), eternal, topology);
    Verdict its = other.verdict();
    boolean same =
        its.rule() == verdict.rule()
            && java.util.Objects.equals(its.publishing(), verdict.publishing())
            && java.util.Objects.equals(its.repair(), verdict.repair());
    boolean isMoreCautious =
        verdict.rule() == Rule.SPLIT_BRAIN_LASTS || its.rule() == Rule.SPLIT_BRAIN_LASTS;
    if (!same && !isMoreCautious) {
      throw new Violation(
          "restart",
          "%s with %s, but %s with %s by who never restarted, from %s"
              .formatted(
                  verdict.rule(), verdict.publishing(), its.rule(), its.publishing(), eternal));
    }
    eternal = same ? other.memory() : decided.memory();
    hasRestarted =
        !decided.memory().rivals().isEmpty() || !eternal.isSameForOthers(decided.memory());
  }

  // The end of a run: repairs, then steady cycles.

  private static final int BOUND = 14;

  private void steady(SplittableRandom random, String why) {
    int quiet = 0;
    for (int i = 0; i < BOUND && quiet < 4; i++) {
      world.seconds += 5;
      world.replicate(Long.MAX_VALUE / 4);
      quietCycle();
      quiet = last != null && last.isVerified() && !wrote ? quiet + 1 : 0;
    }
    tell("steady: " + why);
  }

  private void quietCycle() {
    // This seed causes no fault: no early probe, no silence, no crash, no dry run.
    cycle(new SplittableRandom(QUIET));
  }

  static final long QUIET = quiet();

  private static long quiet() {
    for (long seed = 0; ; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      boolean follower = random.nextInt(20) == 0;
      boolean crash = random.nextInt(40) < 3;
      boolean early = random.nextInt(6) == 0;
      boolean silent = random.nextInt(8) == 0;
      boolean dry = random.nextInt(40) == 0;
      SplittableRandom other = new SplittableRandom(seed);
      boolean crashElse = other.nextInt(40) < 3;
      boolean earlyElse = other.nextInt(6) == 0;
      boolean silentElse = other.nextInt(8) == 0;
      boolean dryElse = other.nextInt(40) == 0;
      if (!follower
          && !crash
          && !early
          && !silent
          && !dry
          && !crashElse
          && !earlyElse
          && !silentElse
          && !dryElse) {
        return seed;
      }
    }
  }

  private void settle(SplittableRandom random) {
    tell("settle");
    world.rw.paused = false;
    world.rw.faulty = false;
    world.ro.faulty = false;
    world.state.unreadable = false;
    for (Machine machine : world.machines) {
      machine.frozen = false;
      machine.cut = false;
      machine.full = false;
      machine.refusing = false;
      machine.failingHistory = false;
      machine.delay = 0;
      world.entries.putIfAbsent(machine.name, machine.address);
    }
    // An entry that never answered counts as a separate server, so it leaves the list.
    world.entries.values().removeIf(address -> world.at(address) == null);
    if (setup.form() == Setup.Form.ONCE) {
      // The next cycle is a new process. It knows only what is stored.
      Arrays.fill(processes, null);
    }
    LastPublished published = process().recall(world.published());
    Machine chosen = referee.eligible(published);
    if (chosen != null) {
      referee.neutralize(published, chosen, random);
      if (trace != null) {
        tell("eligible: " + chosen);
        tell(world.toString());
      }
      steady(random, "follow " + chosen.name);
      require(chosen, "liveness");
      return;
    }
    chosen = referee.vouchedFor(published);
    if (chosen != null) {
      for (Machine machine : world.machines) {
        boolean follows =
            machine.running && machine.upstream == chosen && machine.isOnTheWayTo(chosen);
        if (machine != chosen && !follows) {
          world.rebuild(machine, chosen);
        }
      }
      steady(random, "vouched for " + chosen.name);
      require(chosen, "vouched for");
      return;
    }
    // No server continues the line, so an operator has to choose.
    for (Machine machine : world.machines) {
      if (machine.primary && chosen == null && (machine.running || random.nextBoolean())) {
        chosen = machine;
      }
    }
    if (chosen == null) {
      chosen = world.machines.get(random.nextInt(world.machines.size()));
      world.promote(chosen);
    }
    world.start(chosen);
    boolean fenced = random.nextBoolean();
    if (fenced) {
      fence(chosen);
    }
    steady(random, "before " + chosen.name + " is overruled");
    if (last != null && last.rule() == Rule.QUORUM) {
      // The log line of this rule names the servers to start.
      fenced = true;
      fence(chosen);
      steady(random, "with all servers");
    }
    Report refusal = refusal();
    if (refusal != null) {
      boolean names = refusal.details().contains("overrule");
      if (!names) {
        throw new Violation("exit", "the refusal names no overrule command: " + refusal.message());
      }
      overrule(chosen);
      fence(chosen);
      steady(random, "after " + chosen.name + " was overruled");
      require(chosen, "exit");
    } else if (fenced) {
      require(chosen, "liveness");
    }
  }

  private void fence(Machine chosen) {
    for (Machine machine : world.machines) {
      if (machine != chosen) {
        world.rebuild(machine, chosen);
      }
    }
  }

  private Report refusal() {
    if (last == null || last.isVerified()) {
      return null;
    }
    return last.reports().stream()
        .filter(report -> report.topic() == Report.Topic.REFUSED)
        .findFirst()
        .orElseThrow(() -> new Violation("exit", last.rule() + " without a report"));
  }

  private void require(Machine chosen, String invariant) {
    boolean there =
        world.rw.addresses.size() == 1
            && world.atEndpoint(world.rw.addresses.iterator().next()) == chosen;
    if (!there || last == null || !last.isVerified()) {
      throw new Violation(
          invariant,
          "RW is %s after %d cycles, not %s; %s"
              .formatted(
                  world.rw.addresses,
                  BOUND,
                  chosen.name,
                  last == null ? null : last.rule() + " " + last.reports()));
    }
    if (wrote) {
      throw new Violation("quiet", "a steady world is written to");
    }
    referee.requireReaders(chosen, last);
  }

  /** Returns the server behind a node; null for no node or an unknown address. */
  Machine machine(NodeState node) {
    return node == null ? null : world.behind(node);
  }
}
