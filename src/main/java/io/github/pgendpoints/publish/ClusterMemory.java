package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Rival;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.util.List;

/** Holds the memory of one cluster's cycles, and decides with it. Used by one cycle at a time. */
public final class ClusterMemory {
  /** Decides on a cycle: {@link Decision#decide}, or other tables in tests. */
  @FunctionalInterface
  public interface Decider {
    Decision.Outcome decide(
        LastPublished published, Memory memory, Topology topology, DecisionSettings settings);
  }

  private final DecisionSettings settings;
  private final StateStore store;
  private final Decider decider;
  private Memory memory;
  private boolean isRead;

  /** Whether STATE was not read yet in this term of leadership. */
  private boolean isNewTerm = true;

  /**
   * @param empty the memory of a process that knows nothing
   * @param store keeps what outlives the process
   */
  public ClusterMemory(Memory empty, DecisionSettings settings, StateStore store, Decider decider) {
    this.memory = empty;
    this.settings = settings;
    this.store = store;
    this.decider = decider;
  }

  /** Begins a term of leadership: another replica may have led, and written STATE, in between. */
  public void beginTerm() {
    isNewTerm = true;
  }

  /**
   * Begins a cycle, and returns what is published, completed from memory.
   *
   * @param published what the objects of both Services store
   */
  public LastPublished recall(LastPublished published) {
    if (isNewTerm || !isRead || store.isReadDue()) {
      isRead = false;
      try {
        Memory stored = store.read();
        if (isNewTerm) {
          memory = memory.inNewTerm(stored);
        } else if (stored != null) {
          memory = memory.joinedWith(stored);
        }
        isRead = true;
        isNewTerm = false;
      } catch (UnreadableStateException e) {
        return published.withFault(e.getMessage());
      }
    }
    return memory.completed(published);
  }

  /** Decides on a cycle, and remembers what the next one needs. */
  public Verdict decide(LastPublished published, Topology topology) {
    Decision.Outcome outcome = decider.decide(published, memory, topology, settings);
    memory = outcome.memory();
    return outcome.verdict();
  }

  /**
   * Decides on a cycle of a replica that does not lead. Its findings are not remembered for cycles
   * of a leader, which knows more.
   */
  public Verdict judge(LastPublished published, Topology topology) {
    return decider.decide(published, memory, topology, settings).verdict();
  }

  /** The primaries of a split brain that is not over. */
  public List<Rival> rivals() {
    return memory.rivals();
  }

  Memory known() {
    return memory;
  }

  /**
   * Stores what an operator has decided, and forgets all else.
   *
   * @throws OutdatedTopologyException if other writers do not stop writing
   */
  public void overrule(Memory decided) throws OutdatedTopologyException {
    store.overwrite(decided);
    memory = decided;
  }

  /** Records that the Services follow the verdict. */
  public void rememberPublished(Verdict verdict) {
    memory = memory.publishing(verdict.publishing());
  }

  /**
   * Stores what must outlive the process.
   *
   * @throws OutdatedTopologyException if another process did so in between: its memory applies, and
   *     the cycle starts over
   */
  public void save() throws OutdatedTopologyException {
    try {
      store.write(memory);
    } catch (OutdatedTopologyException e) {
      isRead = false;
      throw e;
    }
  }
}
