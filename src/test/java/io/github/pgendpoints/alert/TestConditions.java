package io.github.pgendpoints.alert;

import java.time.Clock;
import java.time.Duration;

/** Creates {@link Conditions} of a default cluster for tests. */
public final class TestConditions {
  static final Alert.Cluster CLUSTER = new Alert.Cluster("db", "pg-rw", "pg-ro");

  private TestConditions() {}

  public static Conditions create() {
    return create(Clock.systemUTC());
  }

  static Conditions create(Clock clock) {
    return new Conditions(
        CLUSTER, 5432, Duration.ofHours(1), new MissingRights("repmgr", "repmgr"), clock);
  }
}
