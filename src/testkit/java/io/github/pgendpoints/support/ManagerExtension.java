package io.github.pgendpoints.support;

import io.github.pgendpoints.support.ManagerTest.Grants;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts what a {@link ManagerTest} requires; JUnit closes it after its scope. */
final class ManagerExtension implements ParameterResolver, ExecutionCondition {
  private static final Namespace NAMESPACE = Namespace.create(ManagerExtension.class);
  private static final Set<Class<?>> TYPES = Set.of(PostgresCluster.class, FakeApiServer.class);

  /** The cluster's shutdown hook stops it: JUnit has no scope that outlives a class in a fork. */
  private static final Map<Spec, PostgresCluster> SHARED = new HashMap<>();

  private record Spec(int standbys, List<String> addresses, List<String> settings, Grants grants) {
    static Spec of(ManagerTest test) {
      return new Spec(
          test.standbys(), List.of(test.addresses()), List.of(test.settings()), test.grants());
    }
  }

  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    for (String address : test(context).addresses()) {
      if (!address.startsWith("127.") && !isLocal(address)) {
        return ConditionEvaluationResult.disabled("this machine has no " + address);
      }
    }
    return ConditionEvaluationResult.enabled("");
  }

  private static boolean isLocal(String address) {
    try {
      return NetworkInterface.getByInetAddress(InetAddress.getByName(address)) != null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return TYPES.contains(parameter.getParameter().getType());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    ManagerTest test = test(context);
    if (parameter.getParameter().getType() == FakeApiServer.class) {
      return context.getStore(NAMESPACE).getOrComputeIfAbsent("api", key -> api(test));
    }
    return switch (test.cluster()) {
      case NONE -> throw new IllegalStateException("cluster = NONE, but a cluster is a parameter");
      case SHARED -> shared(Spec.of(test));
      case PER_CLASS -> cluster(classOf(context), test);
      case PER_TEST -> cluster(context, test);
    };
  }

  private static Object cluster(ExtensionContext scope, ManagerTest test) {
    return scope.getStore(NAMESPACE).getOrComputeIfAbsent("cluster", key -> start(Spec.of(test)));
  }

  private static ExtensionContext classOf(ExtensionContext context) {
    return context.getTestMethod().isEmpty() ? context : classOf(context.getParent().orElseThrow());
  }

  private static ManagerTest test(ExtensionContext context) {
    return AnnotationSupport.findAnnotation(context.getRequiredTestClass(), ManagerTest.class)
        .orElseThrow();
  }

  private static FakeApiServer api(ManagerTest test) {
    FakeApiServer api = new FakeApiServer(test.namespace(), test.loopback());
    if (test.mirrorMillis() > 0) {
      api.withMirroring(Duration.ofMillis(test.mirrorMillis()));
    }
    if (test.tls()) {
      api.withTls();
    }
    api.start();
    for (String service : test.services()) {
      api.createService(service, "postgresql", 5432);
    }
    return api;
  }

  private static synchronized PostgresCluster shared(Spec spec) {
    PostgresCluster cluster = SHARED.computeIfAbsent(spec, ManagerExtension::start);
    boolean whole =
        cluster.standbys().size() == spec.standbys()
            && cluster.servers().stream().allMatch(PostgresServer::isRunning);
    if (!whole) {
      throw new IllegalStateException("an earlier test stopped or promoted a shared server");
    }
    cluster.waitUntilStreaming();
    return cluster;
  }

  private static PostgresCluster start(Spec spec) {
    try {
      PostgresCluster cluster =
          PostgresCluster.start(
              new PostgresCluster.Options()
                  .standbys(spec.standbys())
                  .addresses(spec.addresses().toArray(String[]::new))
                  .settings(spec.settings().toArray(String[]::new)));
      for (String statement : spec.grants().statements) {
        cluster.primary().sql(statement.formatted(PostgresCluster.USER));
      }
      cluster.waitUntilStreaming();
      cluster.waitUntilReplayed();
      return cluster;
    } catch (SQLException e) {
      throw new IllegalStateException("the cluster does not start", e);
    }
  }
}
