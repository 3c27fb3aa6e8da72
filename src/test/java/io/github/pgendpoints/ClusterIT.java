package io.github.pgendpoints;

import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.File;
import java.io.IOException;

/** Uses a real cluster: that of the kubeconfig which IT_KUBECONFIG names. */
class ClusterIT extends ClusterScenario {

  @Override
  Config access() throws IOException {
    String file = System.getenv("IT_KUBECONFIG");
    if (file == null || file.isEmpty()) {
      return abort("IT_KUBECONFIG is not set, so nothing is tried in a real cluster");
    }
    return Config.fromKubeconfig(new File(file));
  }

  @Override
  String token(KubernetesClient asAdmin, String inNamespace, String account) {
    return asAdmin
        .serviceAccounts()
        .inNamespace(inNamespace)
        .withName(account)
        .tokenRequest(
            new TokenRequestBuilder().withNewSpec().withExpirationSeconds(3600L).endSpec().build())
        .getStatus()
        .getToken();
  }
}
