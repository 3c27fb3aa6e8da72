package io.github.pgendpoints.support;

import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.sql.SQLException;
import java.util.Set;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts what a {@link ManagerTest} requires; JUnit closes it after the test. */
final class ManagerExtension implements ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(ManagerExtension.class);
  private static final Set<Class<?>> TYPES = Set.of(PostgresCluster.class, FakeApiServer.class);

  /** The cluster's shutdown hook stops it: JUnit has no scope that outlives a class in a fork. */
  private static PostgresCluster shared;

  /** Ends the constructor arguments with the test: each test has a separate test instance. */
  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return TYPES.contains(parameter.getParameter().getType());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    ManagerTest test =
        AnnotationSupport.findAnnotation(context.getRequiredTestClass(), ManagerTest.class)
            .orElseThrow();
    if (parameter.getParameter().getType() == FakeApiServer.class) {
      return context.getStore(NAMESPACE).getOrComputeIfAbsent("api", key -> api(test));
    }
    if (test.cluster() == ManagerTest.Cluster.SHARED) {
      return shared();
    }
    return context.getStore(NAMESPACE).getOrComputeIfAbsent("cluster", key -> streaming());
  }

  private static FakeApiServer api(ManagerTest test) {
    FakeApiServer api = new FakeApiServer(test.namespace(), true);
    if (test.tls()) {
      api.withTls();
    }
    api.start();
    for (String service : test.services()) {
      api.createService(service, "postgresql", 5432);
    }
    return api;
  }

  private static synchronized PostgresCluster shared() {
    if (shared == null) {
      shared = streaming();
    }
    boolean whole =
        shared.standbys().size() == 2
            && shared.servers().stream().allMatch(PostgresServer::isRunning);
    if (!whole) {
      throw new IllegalStateException("an earlier test stopped or promoted a shared server");
    }
    shared.waitUntilStreaming();
    return shared;
  }

  private static PostgresCluster streaming() {
    try {
      PostgresCluster cluster = PostgresCluster.start();
      cluster.waitUntilStreaming();
      return cluster;
    } catch (SQLException e) {
      throw new IllegalStateException("the cluster does not start", e);
    }
  }
}
