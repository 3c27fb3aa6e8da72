package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.PublishedPrimary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;

/** The random actions between cycles: faults and changes, and what operators do. */
enum Actions {
  WRITE(10),
  LAG(4),
  STOP(6),
  START(8),
  RESTART(3),
  FREEZE(3),
  THAW(4),
  CUT(4),
  HEAL(6),
  FULL(2),
  NOT_FULL(3),
  REFUSE(1),
  ACCEPT(2),
  FAIL_HISTORY(2),
  READ_HISTORY(4),
  PROMOTE(5),
  PROMOTE_APART(3),
  FAIL_OVER(8),
  SWITCH_OVER(4),
  FOLLOW(6),
  REWIND(4),
  REJOIN_WITHOUT_REWIND(4),
  REBUILD(5),
  START_AS_PRIMARY(1),
  RESTORE(1),
  ROLL_BACK(1),
  UPGRADE(1),
  RENUMBER(1),
  MOVE(1),
  UNLIST(1),
  LIST(3),
  ALIAS(1),
  REORDER(1),
  NEW_SERVER(1),
  GRANT(1),
  HARDEN(1),
  DELETE_RW(1),
  DELETE_RO(1),
  EDIT_RW(2),
  STRIP(1),
  SPOIL(1),
  MEND(3),
  PAUSE(1),
  UNPAUSE(3),
  TIME(4),
  RESTART_MANAGER(4),
  CHANGE_LEADER(3),
  LOSE_STATE(1),
  READ_STATE(3),
  OVERRULE(1);

  private static final List<Actions> WEIGHTED = weighted();

  private final int weight;

  Actions(int weight) {
    this.weight = weight;
  }

  private static List<Actions> weighted() {
    List<Actions> all = new ArrayList<>();
    for (Actions action : values()) {
      all.addAll(Collections.nCopies(action.weight, action));
    }
    return List.copyOf(all);
  }

  static Actions any(SplittableRandom random) {
    return WEIGHTED.get(random.nextInt(WEIGHTED.size()));
  }

  /** Runs the action. Returns a text for the trace, or null when the action does not fit now. */
  String run(Run run, SplittableRandom random) {
    World world = run.world;
    Machine machine = world.machines.get(random.nextInt(world.machines.size()));
    Machine primary = any(random, world, true);
    Machine standby = any(random, world, false);
    switch (this) {
      case WRITE -> {
        for (Machine each : world.machines) {
          world.write(each, random.nextInt(3));
        }
        machine = null;
      }
      case LAG -> machine.delay = random.nextInt(3) * World.WAL;
      case STOP -> machine.running = false;
      case START -> world.start(machine);
      case RESTART -> {
        machine.running = false;
        world.start(machine);
      }
      case FREEZE -> machine.frozen = true;
      case THAW -> machine.frozen = false;
      case CUT -> machine.cut = true;
      case HEAL -> machine.cut = false;
      case FULL -> {
        machine.full = true;
        machine.sendersFull = random.nextBoolean();
      }
      case NOT_FULL -> machine.full = false;
      case REFUSE -> machine.refusing = true;
      case ACCEPT -> machine.refusing = false;
      case FAIL_HISTORY -> machine.failingHistory = true;
      case READ_HISTORY -> machine.failingHistory = false;
      case PROMOTE -> {
        if (standby == null) {
          return null;
        }
        machine = standby;
        world.promote(standby);
      }
      case PROMOTE_APART -> {
        machine = standby;
        Machine other = any(random, world, false);
        if (standby == null || other == standby) {
          return null;
        }
        world.replicate(Long.MAX_VALUE / 4);
        standby.running = true;
        other.running = true;
        world.promote(standby);
        world.promote(other);
        if (primary != null && random.nextBoolean()) {
          primary.running = false;
        }
      }
      case FAIL_OVER, SWITCH_OVER -> {
        if (standby == null || primary == null) {
          return null;
        }
        if (this == SWITCH_OVER) {
          world.replicate(Long.MAX_VALUE / 4);
        }
        primary.running = false;
        machine = null;
        for (Machine each : world.machines) {
          boolean better =
              !each.primary
                  && each.running
                  && each.branch == primary.branch
                  && (machine == null || each.lsn > machine.lsn);
          machine = better ? each : machine;
        }
        if (machine == null) {
          return null;
        }
        world.promote(machine);
        for (Machine each : world.machines) {
          if (!each.primary && each != machine && random.nextInt(4) > 0) {
            world.follow(each, machine);
          }
        }
        if (this == SWITCH_OVER && primary.isOnTheWayTo(machine)) {
          primary.primary = false;
          world.follow(primary, machine);
          world.start(primary);
        }
      }
      case FOLLOW -> {
        machine = standby;
        if (standby == null || primary == null) {
          return null;
        }
        world.follow(standby, primary);
      }
      case REWIND, REBUILD -> {
        Machine source = primary;
        boolean can = source != null && source != machine && source.running && !source.frozen;
        if (!can || this == REWIND && !machine.primary) {
          return null;
        }
        world.rebuild(machine, source);
      }
      case REJOIN_WITHOUT_REWIND -> {
        if (primary == null || !machine.primary || machine == primary) {
          return null;
        }
        world.rejoinWithoutRewind(machine, primary);
      }
      case START_AS_PRIMARY -> {
        machine = standby;
        if (standby == null || !world.setup.equalBegins()) {
          return null;
        }
        world.startAsPrimary(standby);
      }
      case RESTORE -> world.restore(machine, 1 + random.nextInt(3), random.nextBoolean());
      case ROLL_BACK -> {
        if (!machine.primary) {
          return null;
        }
        machine.lsn = Math.max(machine.branch.begin, machine.lsn - World.WAL);
        machine.startedAt = world.newStart();
      }
      case UPGRADE -> {
        if (!machine.primary) {
          return null;
        }
        world.upgrade(machine);
      }
      case RENUMBER -> {
        String was = World.endpoint(machine.address);
        world.renumber(machine);
        return run.trace == null ? "" : was + " " + machine;
      }
      case MOVE -> world.move(machine);
      case UNLIST -> {
        if (world.entries.size() < 2) {
          return null;
        }
        String address = machine.address;
        String second = World.second(machine);
        world.entries.values().removeIf(its -> its.equals(address) || its.equals(second));
        if (world.entries.isEmpty()) {
          world.entries.put(machine.name, address);
        }
      }
      case LIST -> world.entries.putIfAbsent(machine.name, machine.address);
      case ALIAS -> world.entries.put(machine.name + "b", World.second(machine));
      case REORDER -> {
        List<Map.Entry<String, String>> entries = new ArrayList<>();
        world.entries.forEach((name, address) -> entries.add(Map.entry(name, address)));
        Collections.shuffle(entries, new Random(random.nextLong()));
        world.entries.clear();
        entries.forEach(entry -> world.entries.put(entry.getKey(), entry.getValue()));
        machine = null;
      }
      case NEW_SERVER -> {
        if (primary == null || world.machines.size() > 5) {
          return null;
        }
        machine =
            new Machine(
                "n" + (world.machines.size() + 1), world.newAddress(), primary.branch, primary.lsn);
        machine.rights = world.setup.rights(random);
        world.rebuild(machine, primary);
        world.machines.add(machine);
        world.entries.put(machine.name, machine.address);
      }
      case GRANT -> {
        if (world.setup.grants() != Setup.Grants.SOME) {
          return null;
        }
        machine.rights = world.setup.rights(random);
      }
      case HARDEN -> {
        if (world.setup.grants() == Setup.Grants.ALL) {
          return null;
        }
        machine.hardened = !machine.hardened;
      }
      case DELETE_RW -> {
        world.rw.delete();
        machine = null;
      }
      case DELETE_RO -> {
        world.ro.delete();
        machine = null;
      }
      case EDIT_RW -> {
        world.rw.exists = true;
        world.rw.addresses = Set.of(World.endpoint(machine.address));
      }
      case STRIP -> {
        run.strip(world.rw, random.nextInt(3));
        run.strip(world.ro, random.nextInt(3));
        machine = null;
      }
      case SPOIL -> {
        world.rw.faulty = world.rw.exists;
        machine = null;
      }
      case MEND -> {
        world.rw.faulty = false;
        machine = null;
      }
      case PAUSE -> {
        world.rw.paused = world.rw.exists;
        machine = null;
      }
      case UNPAUSE -> {
        world.rw.paused = false;
        machine = null;
      }
      case TIME -> {
        world.seconds += 3 + random.nextInt(60);
        machine = null;
      }
      case RESTART_MANAGER -> {
        run.restartManager();
        machine = null;
      }
      case CHANGE_LEADER -> {
        run.changeLeader();
        machine = null;
      }
      case LOSE_STATE -> {
        world.state.unreadable = true;
        machine = null;
      }
      case READ_STATE -> {
        world.state.unreadable = false;
        machine = null;
      }
      case OVERRULE -> {
        if (!machine.primary || !machine.answers() || random.nextInt(3) > 0) {
          return null;
        }
        run.overrule(machine);
      }
    }
    return machine == null || run.trace == null ? "" : machine.toString();
  }

  /** Returns a random server of this role, a running one if possible; null if there is none. */
  private static Machine any(SplittableRandom random, World world, boolean primary) {
    int start = random.nextInt(world.machines.size());
    Machine found = null;
    for (int i = 0; i < world.machines.size(); i++) {
      Machine machine = world.machines.get((start + i) % world.machines.size());
      if (machine.primary == primary && (found == null || !found.running && machine.running)) {
        found = machine;
      }
    }
    return found;
  }

  /** Returns what remains of a stored primary after a manual edit of the annotations. */
  static PublishedPrimary stripped(PublishedPrimary primary, int how) {
    return new PublishedPrimary(
        primary.line(),
        how == 1 ? java.util.List.of() : primary.entries(),
        how == 0 ? primary.name() : null,
        how == 2 ? null : primary.startedAt());
  }
}
