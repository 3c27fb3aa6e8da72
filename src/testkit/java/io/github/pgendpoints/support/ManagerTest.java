package io.github.pgendpoints.support;

import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that runs the manager against PostgreSQL and a Kubernetes API.
 *
 * <p>Its constructor takes a {@link PostgresCluster} of a primary and two streaming standbys, a
 * {@link FakeApiServer} that has the two Services, or both. Each test gets a separate API server.
 * Both are closed after the test, except a shared cluster.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ManagerExtension.class)
public @interface ManagerTest {
  /** The tests that share a cluster. */
  Cluster cluster();

  /** The namespace of the API server, which holds the Services. */
  String namespace() default "db";

  /** The names of the Services. */
  String[] services() default {"pg-rw", "pg-ro"};

  /** Whether the API server uses TLS. */
  boolean tls() default false;

  /** The tests that use the same cluster. */
  enum Cluster {
    /**
     * All test classes of the JVM with this value. A test leaves the cluster as it found it: all
     * servers run, and none was promoted.
     */
    SHARED,
    /** One test, which may stop and promote servers. */
    PER_TEST
  }
}
