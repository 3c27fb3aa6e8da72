package io.github.pgendpoints.simulation;

import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.StateStore;
import io.github.pgendpoints.publish.UnreadableStateException;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.StandbyHysteresis;

/** The ConfigMap of STATE. */
final class StateMap {
  Memory stored;
  long version;
  boolean unreadable;
  long writes;

  /** Whether a process knows more than STATE stores. */
  boolean behind;

  /** Returns the store of one process. */
  StateStore store() {
    return new StateStore() {
      private long seen = -1;

      @Override
      public Memory read() throws UnreadableStateException {
        if (unreadable) {
          throw new UnreadableStateException("STATE cannot be read", null);
        }
        seen = version;
        return stored == null ? Memory.empty(StandbyHysteresis.none()) : stored;
      }

      @Override
      public void write(Memory memory) throws OutdatedTopologyException {
        if (unreadable || seen < 0) {
          behind |= stored == null || !memory.isSameForOthers(stored);
          return;
        }
        behind = false;
        if (seen != version) {
          throw new OutdatedTopologyException("STATE", "");
        }
        if (stored == null || !memory.isSameForOthers(stored)) {
          stored = memory;
          seen = ++version;
          writes++;
        }
      }
    };
  }
}
