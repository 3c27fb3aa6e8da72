package io.github.pgendpoints.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Cluster;
import io.fabric8.kubernetes.api.model.ExecConfig;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The credential plugin of a kubeconfig's user, run as client-go runs it. fabric8 itself would run
 * the plugin without a time limit and through a shell, and would take its standard error for its
 * answer.
 */
final class ExecPlugin {
  private static final int MAX_OUTPUT = 1 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ExecConfig exec;
  private final File kubeconfig;
  private final Cluster cluster;
  private final Duration timeout;

  /**
   * The answer of the plugin.
   *
   * @param token null if there is none
   * @param certificate PEM; null if there is none
   * @param key PEM; null if there is none
   * @param expiry null if the credential does not expire
   */
  record Credential(String token, String certificate, String key, Instant expiry) {
    boolean hasExpired() {
      return expiry != null && !Instant.now().isBefore(expiry);
    }

    @Override
    public String toString() {
      return "a credential that expires at " + expiry;
    }
  }

  /**
   * @param kubeconfig the file that defines the user; a relative command is in its folder
   * @param cluster the cluster to describe to the plugin, if the kubeconfig requires that
   * @param timeout the time limit of a run
   */
  ExecPlugin(ExecConfig exec, File kubeconfig, Cluster cluster, Duration timeout) {
    this.exec = exec;
    this.kubeconfig = kubeconfig;
    this.cluster = cluster;
    this.timeout = timeout;
  }

  /**
   * Runs the plugin. When this returns or throws, no process of the plugin is left.
   *
   * @throws KubernetesClientException without a cause if it returns no credential in time
   */
  Credential run() {
    if (exec.getCommand() == null) {
      throw failure("has no command there");
    }
    if (exec.getApiVersion() == null) {
      throw failure("has no apiVersion there");
    }
    if ("Always".equals(exec.getInteractiveMode())) {
      throw failure("needs a terminal (interactiveMode: Always)");
    }
    Process process;
    try {
      process = builder().start();
    } catch (IOException e) {
      throw failure("does not start: " + firstLine(e.getMessage()));
    }
    Set<ProcessHandle> children = new HashSet<>();
    try {
      CompletableFuture<String> out = read(process.getInputStream());
      CompletableFuture<String> err = read(process.getErrorStream());
      boolean ended = await(process, children);
      stop(process, children);
      if (!ended) {
        throw failure(
            "did not answer within KUBERNETES_TIMEOUT, %d ms".formatted(timeout.toMillis())
                + message(err));
      }
      if (process.exitValue() != 0) {
        throw failure("failed with exit code " + process.exitValue() + message(err));
      }
      return credential(text(out), message(err));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("was interrupted");
    } finally {
      stop(process, children);
    }
  }

  private ProcessBuilder builder() {
    String command = exec.getCommand();
    if (command.contains("/")) {
      command = kubeconfig.toPath().toAbsolutePath().resolveSibling(command).toString();
    }
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(exec.getArgs() == null ? List.of() : exec.getArgs());
    ProcessBuilder builder = new ProcessBuilder(words).redirectInput(new File("/dev/null"));
    if (exec.getEnv() != null) {
      exec.getEnv()
          .forEach(variable -> builder.environment().put(variable.getName(), variable.getValue()));
    }
    builder.environment().put("KUBERNETES_EXEC_INFO", info());
    return builder;
  }

  private String info() {
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("interactive", false);
    if (Boolean.TRUE.equals(exec.getProvideClusterInfo())) {
      spec.put("cluster", cluster);
    }
    try {
      return JSON.writeValueAsString(
          Map.of("apiVersion", exec.getApiVersion(), "kind", "ExecCredential", "spec", spec));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the process ended in time. Collects its children, which may outlive it. */
  private boolean await(Process process, Set<ProcessHandle> children) throws InterruptedException {
    long start = System.nanoTime();
    while (!process.waitFor(20, TimeUnit.MILLISECONDS)) {
      process.descendants().forEach(children::add);
      if (System.nanoTime() - start > timeout.toNanos()) {
        return false;
      }
    }
    return true;
  }

  private static void stop(Process process, Set<ProcessHandle> children) {
    process.descendants().forEach(children::add);
    // Not by Process.destroyForcibly(), which would close the pipes before they are read.
    process.toHandle().destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private static CompletableFuture<String> read(InputStream in) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (in) {
            return new String(in.readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
          } catch (IOException e) {
            return "";
          }
        },
        task -> {
          Thread thread = new Thread(task, "exec-plugin");
          thread.setDaemon(true);
          thread.start();
        });
  }

  /** The output, or an empty text after 1 s: a process that survives may hold the pipe open. */
  private static String text(CompletableFuture<String> read) throws InterruptedException {
    try {
      return read.get(1, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return "";
    }
  }

  private static String message(CompletableFuture<String> err) throws InterruptedException {
    String line = firstLine(text(err));
    return line.isEmpty() ? "" : ": " + line;
  }

  private static String firstLine(String text) {
    return text.lines().map(String::strip).filter(line -> !line.isEmpty()).findFirst().orElse("");
  }

  private Credential credential(String answer, String message) {
    JsonNode root;
    try {
      root = JSON.readTree(answer);
    } catch (JsonProcessingException e) {
      // The message omits the answer, which may be secret.
      throw failure("gave an answer that is not JSON" + message);
    }
    String version = root.path("apiVersion").asText();
    if (!version.equals(exec.getApiVersion())) {
      throw failure(
          "gave an answer of apiVersion '%s', but the kubeconfig names '%s'"
                  .formatted(version, exec.getApiVersion())
              + message);
    }
    JsonNode status = root.path("status");
    Credential credential =
        new Credential(
            status.path("token").asText(null),
            status.path("clientCertificateData").asText(null),
            status.path("clientKeyData").asText(null),
            expiry(status.path("expirationTimestamp").asText("")));
    if (credential.token() == null
        && (credential.certificate() == null || credential.key() == null)) {
      throw failure("gave neither a token nor a client certificate" + message);
    }
    return credential;
  }

  private Instant expiry(String timestamp) {
    try {
      return timestamp.isEmpty() ? null : OffsetDateTime.parse(timestamp).toInstant();
    } catch (DateTimeParseException e) {
      throw failure("gave an expirationTimestamp that is not a time");
    }
  }

  private KubernetesClientException failure(String what) {
    return new KubernetesClientException(
        "the exec plugin '%s' of %s %s"
            .formatted(Objects.requireNonNullElse(exec.getCommand(), ""), kubeconfig, what));
  }
}
