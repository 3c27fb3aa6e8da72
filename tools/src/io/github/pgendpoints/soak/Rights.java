package io.github.pgendpoints.soak;

import java.util.List;

/** What the manager's role may do on the servers. */
enum Rights {
  /** What the program recommends. */
  ALL {
    @Override
    List<String> grants(String role) {
      return List.of("GRANT pg_monitor TO " + role, "ALTER ROLE " + role + " REPLICATION");
    }
  },

  /** LOGIN: numbers decide, and the branch of a standby is not known. */
  LOGIN {
    @Override
    List<String> grants(String role) {
      return List.of();
    }
  };

  /** The statements that grant it. */
  abstract List<String> grants(String role);
}
