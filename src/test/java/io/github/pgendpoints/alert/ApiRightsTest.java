package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The rights that the Role lacks, according to the refusals of the API server. */
class ApiRightsTest {
  private static final String ROLE =
      "services \"rw\" is forbidden: User \"u\" cannot get resource \"services\" in API group \"\" in the namespace \"db\"";

  private final List<String> said = new ArrayList<>();
  private long seconds;
  private int asked;
  private final ApiRights rights =
      new ApiRights(List.of("rw", "ro"), "memory", said::add, () -> seconds * 1_000_000_000);

  private static KubernetesClientException refusal(int code, String message) {
    return new KubernetesClientException(
        new StatusBuilder().withCode(code).withMessage(message).build());
  }

  private Optional<String> ask(int code) {
    return rights.ask(
        ApiRight.GET_SERVICES,
        () -> {
          asked++;
          if (code != 200) {
            throw refusal(code, ROLE);
          }
          return "yes";
        });
  }

  @Test
  void asksAgainHalfAMinuteAfterARefusal() {
    assertEquals(Optional.empty(), ask(403));
    assertEquals(Optional.empty(), ask(200));
    assertEquals(1, asked);
    assertFalse(rights.isWorthAsking(ApiRight.GET_SERVICES));
    assertTrue(rights.isWorthAsking(ApiRight.LIST_SLICES), "another right");

    seconds = 30;
    assertEquals(Optional.of("yes"), ask(200));
    assertEquals(Optional.of("yes"), ask(200));
    assertEquals(3, asked);
  }

  @Test
  void reportsARightOnceUntilItIsGranted() {
    ask(403);
    seconds = 30;
    ask(403);
    assertEquals(1, said.size(), said.toString());

    seconds = 60;
    ask(200);
    ask(403);
    assertEquals(2, said.size(), said.toString());
  }

  @Test
  void rethrowsOtherErrors() {
    assertThrows(KubernetesClientException.class, () -> ask(500));
    assertEquals(Optional.of("yes"), ask(200));
    assertEquals(List.of(), said);
  }

  @Test
  void reportsAChangedReason() {
    rights.refused(ApiRight.STATE, refusal(403, ROLE));
    rights.refused(ApiRight.STATE, refusal(403, ROLE));
    rights.refused(ApiRight.STATE, refusal(403, "exceeded quota: small"));
    assertEquals(2, said.size(), said.toString());
  }

  /** A user name may be long, such as an ARN or the URL of an OIDC issuer. */
  @Test
  void knowsTheRoleBehindALongName() {
    rights.refused(ApiRight.GET_SERVICES, refusal(403, ROLE.replace("\"u\"", "u".repeat(400))));
    assertTrue(said.get(0).startsWith("the Role does not grant get on services"), said.toString());
  }

  /** A quota, for example, refuses a request: no rule in the Role would help. */
  @Test
  void quotesServerIfRoleIsNotTheCause() {
    rights.refused(ApiRight.CREATE_EVENTS, refusal(403, "exceeded quota: small"));
    assertEquals(
        List.of(
            "the Kubernetes API refuses create on events: exceeded quota: small; alerts do not become Events"),
        said);
  }

  @Test
  void namesTheRuleToAdd() {
    rights.refused(ApiRight.GET_SERVICES);
    rights.refused(ApiRight.STATE);
    rights.refused(ApiRight.CREATE_EVENTS);
    assertEquals(
        List.of(
            "the Role does not grant get on services rw, ro: that the Services exist and fit is not checked; add to the Role: apiGroups [\"\"], resources [services], resourceNames [rw, ro], verbs [get]",
            "the Role does not grant get, patch, create on configmaps memory: only this process remembers a split brain and the published line; add to the Role: apiGroups [\"\"], resources [configmaps], resourceNames [memory], verbs [get, patch]; and apiGroups [\"\"], resources [configmaps], verbs [create]",
            "the Role does not grant create on events: alerts do not become Events; add to the Role: apiGroups [\"\"], resources [events], verbs [create]"),
        said);
  }
}
