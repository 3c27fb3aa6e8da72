package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The sentence for each error. {@link ApiFailuresTest} tests them with a real client. */
class KubernetesErrorsTest {
  private final KubernetesErrors errors = errors("https://api.example:6443/");

  /** Requests for a Lease have a shorter timeout than other requests. */
  @Test
  void namesTheLimitOfTheRequest() {
    KubernetesClientException timeout =
        new KubernetesClientException("x", new TimeoutException("of the test"));
    String whole = errors.describe(timeout);
    String lease = errors.within(Duration.ofMillis(50)).describe(timeout);

    assertTrue(lease.endsWith("no answer within 50 ms"), lease);
    assertEquals(whole, errors.within(Duration.ofHours(1)).describe(timeout));
  }

  @Test
  void namesNoPasswordOfTheAddress() {
    Config underscore =
        new ConfigBuilder().withMasterUrl("https://admin:sekret@kube_api:6443").build();

    String sentence =
        new KubernetesErrors(underscore)
            .describe(new KubernetesClientException("x", new UnknownHostException("kube_api")));

    assertTrue(sentence.startsWith("the Kubernetes API at kube_api:6443 "), sentence);
    assertFalse(sentence.contains("sekret"), sentence);
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of(
            status(401, "Unauthorized", null, null),
            "does not accept our token (401): Unauthorized"),
        Arguments.of(
            status(403, forbidden("get", "endpoints", ""), "endpoints", "pg-rw"),
            "refused the request (403): "
                + forbidden("get", "endpoints", "")
                + "; add to the Role: apiGroups [\"\"], resources [endpoints], resourceNames [pg-rw], verbs [get]"),
        Arguments.of(
            status(403, forbidden("create", "endpoints", ""), "endpoints", "pg-rw"),
            "refused the request (403): "
                + forbidden("create", "endpoints", "")
                + "; add to the Role: apiGroups [\"\"], resources [endpoints], verbs [create]"),
        Arguments.of(
            status(
                403,
                forbidden("list", "endpointslices", "discovery.k8s.io"),
                "endpointslices",
                null),
            "refused the request (403): "
                + forbidden("list", "endpointslices", "discovery.k8s.io")
                + "; add to the Role: apiGroups [\"discovery.k8s.io\"], resources [endpointslices], verbs [list]"),
        Arguments.of(
            status(403, "cannot Patch resource \"x\" in API group \"\"", "x", "pg-rw"),
            "refused the request (403): cannot Patch resource \"x\" in API group \"\""),
        Arguments.of(
            status(403, forbidden("patch", "endpoints", ""), "endpoints", "pg-rw]\n, verbs [*"),
            "refused the request (403): "
                + forbidden("patch", "endpoints", "")
                + "; add to the Role: apiGroups [\"\"], resources [endpoints], verbs [patch]"),
        Arguments.of(
            status(404, "namespaces \"nope\" not found", "namespaces", "nope"),
            "has no namespace nope (404): create it, or set NAMESPACE"),
        Arguments.of(
            status(404, "the server could not find the requested resource", null, null),
            "refused the request (404): the server could not find the requested resource"),
        Arguments.of(
            status(422, "Endpoints \"pg-rw\" is invalid: subsets[0]: Required value", "x", "y"),
            "refused the request (422): Endpoints \"pg-rw\" is invalid: subsets[0]: Required value"),
        Arguments.of(
            status(500, "a\u0000b\u001b[2Jc Bearer 0123456789abcdef", null, null),
            "refused the request (500): a b [2Jc Bearer ***"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void reportsWhatWasRefusedAndWhatToDo(Status status, String sentence) {
    KubernetesClientException failure = new KubernetesClientException(status);

    assertEquals("the Kubernetes API at api.example:6443 " + sentence, errors.describe(failure));
  }

  @Test
  void truncatesTheServersMessage() {
    String said =
        errors.describe(
            new KubernetesClientException(status(500, "x".repeat(1_000_000), null, null)));

    assertTrue(said.length() < 400, said);
  }

  @Test
  void reportsThatNothingCameInTime() {
    String sentence = "the Kubernetes API at api.example:6443 cannot be reached: no answer within ";
    InterruptedIOException timeout = new InterruptedIOException("timeout");
    timeout.initCause(new SocketException("Socket closed"));

    assertEquals(sentence + "5 s", errors.describe(noAnswer(timeout)));
    assertEquals(sentence + "5 s", errors.describe(noAnswer(new TimeoutException())));
  }

  @Test
  void distinguishesStopFromTimeout() {
    InterruptedIOException interrupted = new InterruptedIOException();
    interrupted.initCause(new InterruptedException());

    assertEquals(
        "the Kubernetes API at api.example:6443 was interrupted: the program stops",
        errors.describe(noAnswer(interrupted)));
  }

  @Test
  void reportsItsOwnFinding() {
    assertEquals(
        "the Kubernetes API at api.example:6443: the answer is not Endpoints pg-rw",
        errors.describe(new KubernetesClientException("the answer is not Endpoints pg-rw")));
  }

  @Test
  void survivesACauseThatIsItsOwnCause() {
    IOException first = new IOException("first");
    IOException second = new IOException("second", first);
    first.initCause(second);

    assertTrue(errors.describe(noAnswer(first)).contains("cannot be reached: "));
  }

  @Test
  void namesTheStandardPort() {
    KubernetesClientException failure = noAnswer(new SocketException("x"));

    assertEquals(
        "the Kubernetes API at h:443 cannot be reached: x", errors("https://h").describe(failure));
    assertEquals(
        "the Kubernetes API at [::1]:80 cannot be reached: x",
        errors("http://[::1]/").describe(failure));
    assertEquals(
        "the Kubernetes API at api_server:6443 cannot be reached: x",
        errors("https://api_server:6443/").describe(failure));
  }

  private static KubernetesErrors errors(String url) {
    Config config =
        new ConfigBuilder(Config.empty()).withMasterUrl(url).withRequestTimeout(5000).build();
    return new KubernetesErrors(config);
  }

  private static KubernetesClientException noAnswer(Throwable cause) {
    return new KubernetesClientException("Operation: [get] failed.", cause);
  }

  private static String forbidden(String verb, String resource, String group) {
    return "%s is forbidden: User \"u\" cannot %s resource \"%s\" in API group \"%s\" in the namespace \"db\""
        .formatted(resource, verb, resource, group);
  }

  private static Status status(int code, String message, String kind, String name) {
    StatusBuilder status = new StatusBuilder().withCode(code).withMessage(message);
    return kind == null
        ? status.build()
        : status.withNewDetails().withKind(kind).withName(name).endDetails().build();
  }
}
