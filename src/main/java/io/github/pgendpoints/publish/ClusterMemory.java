package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;

/** Holds what one cluster's cycles remember, and decides with it. Used by one cycle at a time. */
public final class ClusterMemory {
  /** How a cycle is decided: {@link Decision#decide}, or in tests with other tables. */
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
   * @param store what outlives the process
   */
  public ClusterMemory(Memory empty, DecisionSettings settings, StateStore store, Decider decider) {
    this.memory = empty;
    this.settings = settings;
    this.store = store;
    this.decider = decider;
  }

  /** Begins a term of leadership: somebody else may have led, and written STATE, in between. */
  public void beginTerm() {
    isNewTerm = true;
  }

  /**
   * Begins a cycle: what is published, completed by what is remembered.
   *
   * @param published what the objects of both Services say
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

  /** Decides on a cycle, and remembers what the next one has to know. */
  public Verdict decide(LastPublished published, Topology topology) {
    Decision.Outcome outcome = decider.decide(published, memory, topology, settings);
    memory = outcome.memory();
    return outcome.verdict();
  }

  /**
   * Decides on a cycle of a replica that does not lead: what it finds out does not count for the
   * cycles of a leader, which knows more.
   */
  public Verdict judge(LastPublished published, Topology topology) {
    return decider.decide(published, memory, topology, settings).verdict();
  }

  /** What is known now. */
  Memory known() {
    return memory;
  }

  /**
   * Forgets all but this, which a person has decided, and writes it down.
   *
   * @throws OutdatedTopologyException when others do not stop writing
   */
  void overrule(Memory decided) throws OutdatedTopologyException {
    store.overwrite(decided);
    memory = decided;
  }

  /** Notes that the Services follow the verdict. */
  public void published(Verdict verdict) {
    memory = memory.publishing(verdict.publishing());
  }

  /**
   * Writes down what must outlive the process.
   *
   * @throws OutdatedTopologyException when another process did so in between: its memory counts,
   *     and the cycle begins anew
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
