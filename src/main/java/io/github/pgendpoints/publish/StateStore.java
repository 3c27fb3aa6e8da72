package io.github.pgendpoints.publish;

import io.github.pgendpoints.topology.Memory;

/** Stores the memory of a cluster beyond the life of the process, by compare-and-swap. */
public interface StateStore {
  /**
   * Returns what is stored.
   *
   * @return null if nothing is stored, or may be read, so that only the process has the memory
   * @throws UnreadableStateException if something is stored but cannot be read now
   */
  Memory read() throws UnreadableStateException;

  /** Whether to read again in this term of leadership, for example if it was refused before. */
  default boolean isReadDue() {
    return false;
  }

  /**
   * Stores the memory if it differs from what is stored.
   *
   * @throws OutdatedTopologyException if another process wrote since the last read
   */
  void write(Memory memory) throws OutdatedTopologyException;

  /**
   * Stores the memory in place of any other: an operator has decided.
   *
   * @throws OutdatedTopologyException if other writers do not stop writing
   */
  default void overwrite(Memory memory) throws OutdatedTopologyException {
    write(memory);
  }

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

  /** Returns a store that reads only, for a run that writes nothing. */
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
