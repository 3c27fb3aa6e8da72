package io.github.pgendpoints;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.time.Duration;

/**
 * Runs the scenario of {@link ClusterIT} with a fake API server, which finds errors of the scenario
 * itself before it runs in a real cluster.
 */
class ClusterRehearsalIT extends ClusterScenario {
  private final FakeApiServer api = new FakeApiServer().withMirroring(Duration.ofMillis(10));

  @Override
  Config access() {
    api.start();
    return api.config();
  }

  @Override
  String token(KubernetesClient asAdmin, String inNamespace, String account) {
    return api.config().getAutoOAuthToken();
  }

  @Override
  void end() {
    api.close();
  }
}
