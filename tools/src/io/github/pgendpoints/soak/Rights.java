package io.github.pgendpoints.soak;

import java.util.List;

/** What the manager's role may do on the servers. */
enum Rights {
  /** The rights that the program recommends. */
  ALL {
    @Override
    List<String> grants(String role) {
      return List.of("GRANT pg_monitor TO " + role, "ALTER ROLE " + role + " REPLICATION");
    }
  },

  /** LOGIN only: timeline numbers decide, and the branch of a standby is unknown. */
  LOGIN {
    @Override
    List<String> grants(String role) {
      return List.of();
    }
  };

  /** Returns the statements that grant these rights. */
  abstract List<String> grants(String role);
}
