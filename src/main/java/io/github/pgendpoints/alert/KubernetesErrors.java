package io.github.pgendpoints.alert;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.kubernetes.ApiCredentials;
import io.github.pgendpoints.kubernetes.KubernetesAccess;
import io.github.pgendpoints.logging.Causes;
import io.github.pgendpoints.logging.ForeignText;
import java.io.EOFException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Describes in one sentence what the Kubernetes API refused and what to do about it, or why it was
 * unreachable. The message of a client's exception ranges from 'Socket closed' for a timeout to the
 * whole response of a server.
 */
public final class KubernetesErrors {
  private static final Pattern FORBIDDEN =
      Pattern.compile(
          "cannot (?<verb>[a-z]{1,20}) resource \"(?<resource>[a-z./-]{1,80})\""
              + " in API group \"(?<group>[a-z0-9.-]{0,80})\"");

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

  private final String server;
  private final Duration requestTimeout;
  private final Config config;
  private final ApiCredentials access;

  /** Names the proxy; empty if there is none. */
  private final String through;

  public KubernetesErrors(Config config) {
    this(config, Duration.ofMillis(config.getRequestTimeout()));
  }

  private KubernetesErrors(Config config, Duration requestTimeout) {
    this.config = config;
    this.requestTimeout = requestTimeout;
    this.access = KubernetesAccess.access(config);
    String proxy = access.proxyInWords();
    this.through = proxy == null ? "" : " through the proxy " + proxy;
    URI uri = URI.create(config.getMasterUrl());
    int standard = "http".equals(uri.getScheme()) ? 80 : 443;
    // Java does not accept a name with an underscore as a host, although DNS may resolve it.
    this.server =
        uri.getHost() == null
            ? uri.getAuthority().replaceFirst("^.*@", "")
            : uri.getHost() + ":" + (uri.getPort() < 0 ? standard : uri.getPort());
  }

  /** Returns the sentences for requests with a shorter time limit than the client's. */
  public KubernetesErrors within(Duration limit) {
    return limit.compareTo(requestTimeout) < 0 ? new KubernetesErrors(config, limit) : this;
  }

  /** Describes a failure in one sentence, fit for a log. */
  public String describe(KubernetesClientException failure) {
    return message(failure).text();
  }

  /** Describes a failure, and identifies what failed. */
  public FailureMessage message(KubernetesClientException failure) {
    FailureMessage what = failure.getCode() > 0 ? refusal(failure) : noAnswer(failure);
    String headline = "the Kubernetes API at " + server;
    return new FailureMessage(
        what.headline().isEmpty() ? headline : headline + " " + what.headline(),
        what.object(),
        what.details());
  }

  /**
   * Returns why the API server refuses a request (403) although the Role may grant it.
   *
   * @return the server's message, cleaned; null if the Role does not grant the request
   */
  static String otherThanTheRole(KubernetesClientException failure) {
    String message = serverMessage(failure);
    return FORBIDDEN.matcher(message).find() ? null : ForeignText.clean(message);
  }

  private static String serverMessage(KubernetesClientException failure) {
    Status status = failure.getStatus();
    return String.valueOf(
        status == null || status.getMessage() == null ? failure.getMessage() : status.getMessage());
  }

  private FailureMessage refusal(KubernetesClientException failure) {
    Status status = failure.getStatus();
    String message = ForeignText.clean(serverMessage(failure));
    StatusDetails details =
        status == null || status.getDetails() == null ? new StatusDetails() : status.getDetails();
    int code = failure.getCode();
    if (code == 401 && !access.sendsCredentials()) {
      return new FailureMessage(
          "does not accept requests without credentials (401)",
          message + "; " + access.whyAnonymous());
    }
    if (code == 401) {
      return new FailureMessage("does not accept our token (401)", message);
    }
    if (code == 403 && message.contains("\"system:anonymous\"")) {
      return new FailureMessage(
          "refused the request (403)", message + "; " + access.whyAnonymous());
    }
    if (code == 404 && "namespaces".equals(details.getKind())) {
      return new FailureMessage(
          "has no namespace %s (404)"
              .formatted(ForeignText.clean(String.valueOf(details.getName()))),
          "create it, or set NAMESPACE");
    }
    String right = code == 403 ? missingRight(message, details) : "";
    // A gateway sends these for a server that it cannot reach.
    return new FailureMessage(
        "refused the request%s (%d)".formatted(code >= 502 && code <= 504 ? through : "", code),
        details.getKind() + " " + details.getName() + right,
        message + right);
  }

  /** Returns the rule that the Role lacks; empty unless RBAC refused, which names the right. */
  private static String missingRight(String message, StatusDetails details) {
    Matcher forbidden = FORBIDDEN.matcher(message);
    if (!forbidden.find()) {
      return "";
    }
    String verb = forbidden.group("verb");
    // RBAC cannot limit create to a name: the object does not exist yet.
    boolean named =
        !verb.equals("create")
            && details.getName() != null
            && NAME.matcher(details.getName()).matches();
    return "; add to the Role: apiGroups [\"%s\"], resources [%s], %sverbs [%s]"
        .formatted(
            forbidden.group("group"),
            forbidden.group("resource"),
            named ? "resourceNames [" + details.getName() + "], " : "",
            verb);
  }

  private FailureMessage noAnswer(KubernetesClientException failure) {
    List<Throwable> causes = Causes.of(failure).toList();
    String message = text(causes.get(causes.size() - 1));
    if (causes.size() == 1) {
      return new FailureMessage("", message, message);
    }
    if (any(causes, InterruptedException.class)) {
      return new FailureMessage("was interrupted", "the program stops");
    }
    if (any(causes, InterruptedIOException.class, TimeoutException.class)) {
      return unreachable("no answer within " + seconds(requestTimeout.toMillis()));
    }
    if (any(causes, UnknownHostException.class)) {
      return unreachable("unknown host");
    }
    if (any(causes, ConnectException.class)) {
      return unreachable(message);
    }
    if (any(causes, SSLPeerUnverifiedException.class)) {
      return new FailureMessage(
          "cannot be trusted" + through, "its TLS certificate is for other host names");
    }
    if (any(causes, CertPathBuilderException.class, CertPathValidatorException.class)) {
      return new FailureMessage(
          "cannot be trusted" + through,
          "its TLS certificate is not signed by the configured CA (%s)".formatted(message));
    }
    if (any(causes, SSLException.class)) {
      return new FailureMessage("cannot be reached over TLS" + through, message);
    }
    if (any(causes, EOFException.class) || message.startsWith("unexpected end of stream")) {
      return new FailureMessage(
          "closed the connection before the end of its response" + through, "");
    }
    if (any(causes, JacksonException.class)) {
      return new FailureMessage(
          "returned something other than the requested Kubernetes object", "");
    }
    if (any(causes, ProtocolException.class)) {
      return new FailureMessage("sent invalid HTTP", message);
    }
    return unreachable(message);
  }

  private FailureMessage unreachable(String why) {
    return new FailureMessage("cannot be reached" + through, why);
  }

  private static boolean any(List<Throwable> causes, Class<?>... types) {
    return causes.stream().anyMatch(cause -> Stream.of(types).anyMatch(t -> t.isInstance(cause)));
  }

  private static String text(Throwable root) {
    return ForeignText.clean(
        root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage());
  }

  private static String seconds(long millis) {
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
  }
}
