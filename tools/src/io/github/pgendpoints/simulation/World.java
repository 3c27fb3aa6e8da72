package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Nodes;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.Topology;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The real state of the servers, the network, the Services and the clock. */
final class World {
  static final int PORT = 5432;
  static final long WAL = 1024;

  final Setup setup;
  final List<Machine> machines = new ArrayList<>();

  /** PG_NODES: the names in their order, each with its address. */
  final Map<String, String> entries = new LinkedHashMap<>();

  final ServiceObject rw = new ServiceObject();
  final ServiceObject ro = new ServiceObject();
  final StateMap state = new StateMap();
  long seconds = 1_800_000_000L;
  long highestTimeline = 1;
  private long unique;
  private final Set<Long> begins = new HashSet<>();
  private int addresses;
  private int clusters;

  World(Setup setup, SplittableRandom random) {
    this.setup = setup;
    Branch first = Branch.first(newCluster());
    for (int i = 1; i <= setup.servers(); i++) {
      Machine machine = new Machine("n" + i, newAddress(), first, 0x5000000);
      machine.rights = setup.rights(random);
      machine.startedAt = newStart();
      machines.add(machine);
      entries.put(machine.name, machine.address);
    }
    machines.get(0).primary = true;
    machines.forEach(machine -> machine.upstream = machine.primary ? null : machines.get(0));
  }

  String newCluster() {
    return "70000000000000000" + (10 + ++clusters);
  }

  String newAddress() {
    addresses++;
    return "10.0." + addresses / 250 + "." + (addresses % 250 + 1);
  }

  long newStart() {
    return seconds * 1_000_000 + ++unique;
  }

  static String endpoint(String address) {
    return address + ":" + PORT;
  }

  Machine at(String address) {
    for (Machine machine : machines) {
      if (machine.address.equals(address) || (address != null && address.equals(second(machine)))) {
        return machine;
      }
    }
    return null;
  }

  /** Returns the second address that each server has. PG_NODES need not list it. */
  static String second(Machine machine) {
    return machine.address.replace("10.0.", "10.8.");
  }

  Machine atEndpoint(String endpoint) {
    return at(endpoint.substring(0, endpoint.indexOf(':')));
  }

  Machine behind(NodeState node) {
    return node.address() == null ? null : at(node.address());
  }

  Instant now() {
    return Instant.ofEpochSecond(seconds);
  }

  // What happens to servers.

  void write(Machine machine, long bytes) {
    if (machine.primary && machine.running && !machine.frozen) {
      machine.lsn += bytes * WAL;
    }
  }

  void replicate(long bytes) {
    for (Machine machine : machines) {
      machine.replicate(bytes);
    }
  }

  void start(Machine machine) {
    if (!machine.running) {
      machine.running = true;
      machine.startedAt = newStart();
      machine.full = false;
    }
  }

  void promote(Machine machine) {
    long number = setup.archive() ? highestTimeline : machine.highestKnown;
    fork(machine, Math.max(number, machine.branch.timeline) + 1, machine.lsn);
  }

  /** Starts a new branch at a position of the server's current branch. */
  private void fork(Machine machine, long number, long from) {
    long begin = from;
    if (!setup.equalBegins()) {
      do {
        begin = from + ++unique % WAL;
      } while (!begins.add(begin));
    }
    machine.branch = new Branch(machine.branch.cluster, number, begin, machine.branch);
    machine.lsn = begin + WAL;
    machine.primary = true;
    machine.upstream = null;
    machine.highestKnown = number;
    highestTimeline = Math.max(highestTimeline, number);
  }

  /** Starts a standby without its standby.signal: it continues to write its current timeline. */
  void startAsPrimary(Machine machine) {
    Branch was = machine.branch;
    machine.branch = new Branch(was.cluster, was.timeline, was.begin, was.parent);
    machine.primary = true;
    machine.upstream = null;
    machine.running = true;
    machine.startedAt = newStart();
  }

  /** Recovers the same data directory to an earlier position. */
  void restore(Machine machine, long back, boolean sameNumber) {
    long to = Math.max(machine.branch.begin, machine.lsn - back * WAL);
    long number =
        sameNumber
            ? machine.branch.timeline
            : Math.max(machine.highestKnown, machine.branch.timeline) + 1;
    Branch was = machine.branch;
    if (sameNumber && was.parent != null) {
      // To a position before the promotion, without the history files of that promotion.
      machine.branch = was.parent;
      to = Math.max(was.parent.begin, was.begin - back * WAL);
    } else if (sameNumber) {
      return;
    }
    fork(machine, number, to);
    machine.running = true;
    machine.startedAt = newStart();
  }

  void follow(Machine standby, Machine upstream) {
    if (standby != upstream) {
      standby.upstream = upstream;
    }
  }

  /** Restarts an old primary as a standby that keeps all its WAL. */
  void rejoinWithoutRewind(Machine machine, Machine upstream) {
    machine.primary = false;
    machine.running = true;
    machine.startedAt = newStart();
    follow(machine, upstream);
    machine.highestKnown = Math.max(machine.highestKnown, upstream.branch.timeline);
  }

  /** Copies another server's files, as pg_basebackup and pg_rewind do. */
  void rebuild(Machine machine, Machine source) {
    machine.branch = source.branch;
    machine.lsn = source.lsn;
    machine.primary = false;
    machine.running = true;
    machine.startedAt = newStart();
    machine.upstream = source;
    machine.highestKnown = source.branch.timeline;
    machine.full = false;
    machine.delay = 0;
  }

  void upgrade(Machine machine) {
    machine.branch = Branch.first(newCluster());
    machine.primary = true;
    machine.upstream = null;
    machine.running = true;
    machine.startedAt = newStart();
    machine.highestKnown = 1;
  }

  void renumber(Machine machine) {
    String was = machine.address;
    machine.address = newAddress();
    entries.replaceAll((name, address) -> address.equals(was) ? machine.address : address);
  }

  /** Assigns a new address and a new name, as after a restore on another machine. */
  void move(Machine machine) {
    String was = machine.address;
    String second = second(machine);
    entries.values().removeIf(address -> address.equals(was) || address.equals(second));
    machine.name += "m";
    machine.address = newAddress();
    machine.startedAt = newStart();
    entries.put(machine.name, machine.address);
  }

  // What the program sees.

  List<Node> nodes() {
    List<Node> nodes = new ArrayList<>();
    entries.keySet().forEach(name -> nodes.add(Node.of(name, PORT, PORT)));
    return nodes;
  }

  private NodeState probe(Node node, boolean early) {
    String address = entries.get(node.name());
    Machine machine = at(address);
    if (machine == null || !machine.running) {
      return NodeState.down(node, address, Failure.OTHER, "Connection refused");
    }
    if (machine.cut || machine.frozen) {
      return NodeState.down(node, address, Failure.SILENT, "no answer");
    }
    if (machine.refusing) {
      return NodeState.unknown(node, address, Failure.LOGIN_REFUSED, "no pg_hba.conf entry");
    }
    if (machine.isFullForUs()) {
      return NodeState.unknown(node, address, Failure.FULL, "too many connections");
    }
    return NodeState.answered(
        node, machine.primary ? State.PRIMARY : State.STANDBY, address, told(machine, early));
  }

  private Server told(Machine machine, boolean early) {
    boolean receives = machine.upstream != null && machine.upstream.running;
    boolean monitor = machine.rights.contains(Right.MONITOR);
    boolean tells =
        machine.primary
            ? !machine.hardened
            : machine.rights.contains(Right.HISTORY) || monitor && receives;
    long lsn = early && machine.primary ? machine.lsn - WAL / 2 : machine.lsn;
    Set<String> replicas = Set.of();
    if (machine.primary && monitor) {
      replicas = new HashSet<>();
      for (Machine other : machines) {
        if (other.upstream == machine && other.streams()) {
          replicas.add(other.address);
        }
      }
    }
    return new Server(
        machine.branch.cluster,
        machine.startedAt,
        tells ? machine.branch.timeline : null,
        new Lsn(lsn),
        receives,
        monitor && receives && !machine.primary ? endpoint(machine.upstream.address) : null,
        replicas,
        machine.rights,
        null,
        Map.of(),
        null);
  }

  /** Returns what a cycle learns from its probes, in the order of the routes. */
  Topology ask(LastPublished published, boolean early, boolean silentSecond) {
    List<NodeState> states = new ArrayList<>();
    List<Node> nodes = nodes();
    nodes.forEach(node -> states.add(probe(node, early)));
    Topology topology = Topology.of(nodes, states, now()).identifiedBy(published);
    // A second probe of moving nodes finds the same, so it runs only when it is to fail.
    List<Node> moving = silentSecond ? topology.moving(published) : List.of();
    List<Node> inDoubt =
        Stream.concat(topology.contested().stream(), moving.stream()).distinct().toList();
    if (!inDoubt.isEmpty()) {
      List<NodeState> later = new ArrayList<>();
      for (Node node : inDoubt) {
        later.add(
            silentSecond
                ? NodeState.unknown(node, entries.get(node.name()), Failure.OTHER, "no answer")
                : probe(node, false));
      }
      topology = topology.updatedBy(later).identifiedBy(published);
    }
    topology =
        Nodes.withHistories(
            topology,
            node -> {
              Machine machine = behind(node);
              return machine.failingHistory
                  ? HistoryAnswer.failed("timeout")
                  : HistoryAnswer.read(machine.branch.history());
            });
    List<String> unlisted = topology.unlistedEntries(published, List.of());
    if (!unlisted.isEmpty()) {
      topology =
          topology.withUnanswered(
              unlisted.stream()
                  .filter(
                      entry -> {
                        Machine machine = atEndpoint(entry);
                        return machine == null || !machine.running || machine.cut;
                      })
                  .toList());
    }
    return topology;
  }

  /** Returns what the objects store, read as StoredTopologyReader reads them. */
  LastPublished published() {
    List<ServiceObject> objects = new ArrayList<>();
    if (rw.exists) {
      objects.add(rw);
    }
    if (ro.exists) {
      objects.add(ro);
    }
    List<String> faults = new ArrayList<>();
    ServiceObject newest = null;
    String identifier = null;
    long timeline = 0;
    long generation = 0;
    for (ServiceObject object : objects) {
      if (object.faulty) {
        faults.add("an annotation cannot be read");
      }
      long its = object.primary.line() == null ? 0 : object.primary.line().timeline();
      if (object.generation > generation) {
        generation = object.generation;
        identifier = object.systemIdentifier;
        timeline = its;
        newest = object;
      } else if (object.generation == generation) {
        identifier = identifier == null ? object.systemIdentifier : identifier;
        if ((object.systemIdentifier == null || object.systemIdentifier.equals(identifier))
            && its > timeline) {
          timeline = its;
          newest = object;
        }
      }
    }
    String name = newest == null ? null : newest.primary.name();
    for (ServiceObject object : objects) {
      name = name == null ? object.primary.name() : name;
    }
    List<String> known =
        newest != null && !newest.primary.entries().isEmpty()
            ? newest.primary.entries()
            : newest != null && newest.primary.startedAt() != null
                ? List.of()
                : List.copyOf(rw.addresses);
    PublishedPrimary primary =
        new PublishedPrimary(
            newest == null ? null : newest.primary.line(),
            known,
            name,
            newest == null ? null : newest.primary.startedAt());
    return new LastPublished(
        primary,
        identifier,
        rw.addresses,
        ro.addresses,
        generation,
        rw.exists && rw.paused,
        faults);
  }

  @Override
  public String toString() {
    Map<String, String> sorted = new TreeMap<>(new HashMap<>(entries));
    StringBuilder text = new StringBuilder();
    machines.forEach(machine -> text.append("    ").append(machine).append('\n'));
    return text.append("    PG_NODES ")
        .append(sorted)
        .append("\n    RW ")
        .append(rw)
        .append("\n    RO ")
        .append(ro)
        .append("\n    STATE ")
        .append(
            state.stored == null
                ? null
                : state.stored.primary() + " rivals " + state.stored.rivals())
        .append("\n    at ")
        .append(seconds)
        .toString();
  }
}
