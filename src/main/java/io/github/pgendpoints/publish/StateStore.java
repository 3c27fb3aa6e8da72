package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Memory;

/** What outlives the process: the memory of a cluster, written by compare-and-swap. */
public interface StateStore {
  /**
   * What is stored.
   *
   * @return null when nothing is kept anywhere, or may not be read, so that only the process knows
   * @throws UnreadableStateException when something is kept and cannot be read now
   */
  Memory read() throws UnreadableStateException;

  /** Whether to read again, although it could not be read earlier in this term. */
  default boolean isReadDue() {
    return false;
  }

  /**
   * Stores it, where it differs.
   *
   * @throws OutdatedTopologyException when another process wrote since it was read
   */
  void write(Memory memory) throws OutdatedTopologyException;

  /**
   * Stores it whatever is there: a person has decided.
   *
   * @throws OutdatedTopologyException when others do not stop writing
   */
  default void overwrite(Memory memory) throws OutdatedTopologyException {
    write(memory);
  }

  /** Keeps nothing. */
  static StateStore none() {
    return new StateStore() {
      @Override
      public Memory read() {
        return null;
      }

      @Override
      public void write(Memory memory) {}
    };
  }

  /** For a run that writes nothing. */
  static StateStore readOnly(StateStore store) {
    return new StateStore() {
      @Override
      public Memory read() throws UnreadableStateException {
        return store.read();
      }

      @Override
      public boolean isReadDue() {
        return store.isReadDue();
      }

      @Override
      public void write(Memory memory) {}
    };
  }
}
