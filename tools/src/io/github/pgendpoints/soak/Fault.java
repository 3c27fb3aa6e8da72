package io.github.pgendpoints.soak;

/** The faults of the nodes, the API, the Endpoints and the manager. */
enum Fault {
  KILL("kill -9 of a node"),
  RESTART("restart of a node"),
  CRASH("immediate stop and start of a node"),
  FREEZE("SIGSTOP of a node", true),
  THAW("SIGCONT of a node"),
  RETURN("dead node back, old primary or standby"),
  FAILOVER("primary lost, standby promoted"),
  STALE("old primary back, the new one lost"),
  APART("the other standby promoted, the first one lost"),
  REJOIN("old primary rejoins without rewind"),
  PROMOTE("standby promoted beside the others"),
  PASSWORD("wrong password"),
  CONNECTIONS("max_connections used up"),
  TERMINATE("our sessions terminated"),
  FOREIGN("foreign cluster on a node's address"),
  FORBIDDEN("API: 403"),
  CONFLICT("API: 409"),
  RIVAL("API: a rival writes in between"),
  THROTTLED("API: 429", true),
  BROKEN("API: 500, 503"),
  CUT("API: answers cut, or none"),
  GARBAGE("API: answers that are no JSON"),
  SLOW("API: slow answers", true),
  HANGING("API: hangs", true),
  API_DOWN("API: down", true),
  RW_EDITED("RW edited by hand"),
  RO_EDITED("RO edited by hand"),
  LABELLED("labels of others edited"),
  RW_DELETED("RW deleted"),
  RO_DELETED("RO deleted"),
  BOTH_DELETED("both Endpoints deleted"),
  PAUSED("paused by annotation"),
  UNREADABLE("annotation made unreadable"),
  MANAGER("restart of the manager"),
  LEADER("change of leader"),
  ROUTE("route stopped and started");

  private final String label;
  private final boolean slow;

  Fault(String label) {
    this(label, false);
  }

  Fault(String label, boolean slow) {
    this.label = label;
    this.slow = slow;
  }

  /** Whether each cycle has to wait for an answer while the fault lasts. */
  boolean isSlow() {
    return slow;
  }

  @Override
  public String toString() {
    return label;
  }
}
