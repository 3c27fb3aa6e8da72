package io.github.pgendpoints.support;

import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that needs PostgreSQL, a Kubernetes API, or both.
 *
 * <p>Its constructor, its methods, or both take a {@link PostgresCluster} whose standbys stream, a
 * {@link FakeApiServer} that has the Services, or both. Each test gets a separate API server. Both
 * are closed when their scope ends, except a shared cluster.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ManagerExtension.class)
public @interface ManagerTest {
  /** The tests that share a cluster. */
  Cluster cluster() default Cluster.NONE;

  /** The number of standbys. */
  int standbys() default 2;

  /**
   * The addresses of the servers, the primary's first; by default 127.0.0.1 and those after it. The
   * tests are skipped if this machine has none of them.
   */
  String[] addresses() default {};

  /** Additional lines for postgresql.conf. */
  String[] settings() default {};

  /** The rights of the manager's role. */
  Grants grants() default Grants.LOGIN;

  /** The namespace of the API server, which holds the Services. */
  String namespace() default "db";

  /** The names of the Services. */
  String[] services() default {"pg-rw", "pg-ro"};

  /** Whether the API server uses TLS. */
  boolean tls() default false;

  /** Whether the API server accepts loopback addresses, which a real one rejects. */
  boolean loopback() default true;

  /** After how many milliseconds the API server mirrors Endpoints; 0 means not at all. */
  long mirrorMillis() default 0;

  /** The tests that use the same cluster. */
  enum Cluster {
    /** None: no parameter is a cluster. */
    NONE,
    /**
     * All test classes of the JVM that want the same cluster. A test leaves the cluster as it found
     * it: all servers run, and none was promoted.
     */
    SHARED,
    /** The tests of one class. */
    PER_CLASS,
    /** One test, which may stop and promote servers. */
    PER_TEST
  }

  /** The rights of the manager's role. */
  enum Grants {
    LOGIN,
    /** The rights that the program recommends; it warns if they are missing. */
    RECOMMENDED("GRANT pg_monitor TO %s", "ALTER ROLE %s REPLICATION"),
    EVERY(
        "GRANT pg_monitor TO %s",
        "ALTER ROLE %s REPLICATION",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO %s");

    final List<String> statements;

    Grants(String... statements) {
      this.statements = List.of(statements);
    }
  }
}
