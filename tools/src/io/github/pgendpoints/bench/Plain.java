package io.github.pgendpoints.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import java.util.List;
import java.util.Map;
import org.apache.camel.Processor;
import org.apache.camel.main.Main;
import org.slf4j.LoggerFactory;

/**
 * A minimal Camel program for the same purpose, the baseline for {@code --once}: one route, one
 * simple query to each node in parallel, and both Services' Endpoints. It sends fewer requests (no
 * ready check, no EndpointSlices, no Services), and it decides nothing.
 */
public final class Plain extends Main {
  static final String ROUTE = "plain.camel.yaml";

  private Plain(KubernetesClient client, Map<String, String> environment) {
    configure()
        .withRoutesIncludePattern("classpath:" + ROUTE)
        .withAutoConfigurationLogSummary(false)
        .withBasePackageScanEnabled(false)
        .withJmxEnabled(false);
    List<String> nodes = List.of(environment.get("PG_NODES").split(","));
    bind("nodes", nodes);
    nodes.forEach(node -> bind(node, dataSource(node, environment)));
    bind(
        "readEndpoints",
        (Processor)
            exchange ->
                List.of("RW_SERVICE", "RO_SERVICE")
                    .forEach(
                        service ->
                            client
                                .endpoints()
                                .inNamespace(environment.get("NAMESPACE"))
                                .withName(environment.get(service))
                                .get()));
    bind("end", (Processor) exchange -> completed());
  }

  private static HikariDataSource dataSource(String node, Map<String, String> environment) {
    String port = node.contains(":") ? "" : ":" + environment.get("PGPORT");
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(
        "jdbc:postgresql://%s%s/%s?assumeMinServerVersion=13"
            .formatted(node, port, PostgresCluster.DATABASE));
    config.setUsername(PostgresCluster.USER);
    config.setPassword(environment.get("PGPASSWORD"));
    // The stand-in nodes of the training understand this query.
    config.setConnectionTestQuery("SELECT 1");
    config.setMaximumPoolSize(1);
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  /** Runs the route once. */
  public static void main(String... args) throws Exception {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      new Plain(client, System.getenv()).run();
    }
    System.exit(0);
  }
}
