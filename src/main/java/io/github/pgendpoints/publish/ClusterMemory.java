package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Decision;
import io.github.pgendpoints.topology.DecisionSettings;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.Published;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.util.function.LongSupplier;

/** Holds what one cluster's cycles remember, and decides with it. Used by one cycle at a time. */
public final class ClusterMemory {
  /** How a cycle is decided: {@link Decision#decide}, or in tests with other tables. */
  @FunctionalInterface
  public interface Decider {
    Decision.Outcome decide(
        Published published, Memory memory, Topology topology, DecisionSettings settings);
  }

  private final DecisionSettings settings;
  private final StateStore store;
  private final LongSupplier term;
  private final Runnable forgetNodes;
  private final Decider decider;
  private Memory memory;
  private long lastTerm = -1;
  private long forgottenIn = -1;
  private boolean isRead;

  /**
   * @param empty the memory of a process that knows nothing
   * @param store what outlives the process
   * @param term the number of the term of leadership; another one than before means that somebody
   *     else may have led in between
   * @param forgetNodes what a new term makes of what other parts of the process know of nodes
   */
  public ClusterMemory(
      Memory empty,
      DecisionSettings settings,
      StateStore store,
      LongSupplier term,
      Runnable forgetNodes,
      Decider decider) {
    this.memory = empty;
    this.settings = settings;
    this.store = store;
    this.term = term;
    this.forgetNodes = forgetNodes;
    this.decider = decider;
  }

  /**
   * Begins a cycle: what is published, completed by what is remembered.
   *
   * @param published what the objects of both Services say
   */
  public Published recall(Published published) {
    long current = term.getAsLong();
    if (current != forgottenIn) {
      forgetNodes.run();
      forgottenIn = current;
    }
    if (current != lastTerm || !isRead || store.isReadDue()) {
      isRead = false;
      try {
        Memory stored = store.read();
        if (current != lastTerm) {
          memory = memory.inNewTerm(stored);
        } else if (stored != null) {
          memory = memory.joinedWith(stored);
        }
        isRead = true;
        lastTerm = current;
      } catch (UnreadableStateException e) {
        return published.withFault(e.getMessage());
      }
    }
    return memory.completed(published);
  }

  /** Decides on a cycle, and remembers what the next one has to know. */
  public Verdict decide(Published published, Topology topology) {
    Decision.Outcome outcome = decider.decide(published, memory, topology, settings);
    memory = outcome.memory();
    return outcome.verdict();
  }

  /**
   * Decides on a cycle of a replica that does not lead: what it finds out does not count for the
   * cycles of a leader, which knows more.
   */
  public Verdict judge(Published published, Topology topology) {
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
