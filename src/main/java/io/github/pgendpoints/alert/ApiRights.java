package io.github.pgendpoints.alert;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The rights that the Role lacks, according to the refusals of the API server. A refused request is
 * sent again after a while, since an operator may add the right.
 *
 * <p>Used by one thread at a time.
 */
public final class ApiRights {
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final List<String> services;
  private final String state;
  private final Consumer<String> listener;
  private final LongSupplier nanoTime;
  private final Map<ApiRight, Long> refusedAt = new EnumMap<>(ApiRight.class);
  private final Map<ApiRight, String> reported = new EnumMap<>(ApiRight.class);

  /**
   * @param services RW_SERVICE and RO_SERVICE
   * @param state STATE; null without it
   * @param listener receives each refusal once, as one sentence, until the request is granted
   */
  public ApiRights(
      List<String> services, String state, Consumer<String> listener, LongSupplier nanoTime) {
    this.services = services;
    this.state = state;
    this.listener = listener;
    this.nanoTime = nanoTime;
  }

  /** Whether to send a request: no refusal is known, or the last one was a while ago. */
  public boolean isWorthAsking(ApiRight right) {
    Long at = refusedAt.get(right);
    return at == null || nanoTime.getAsLong() - at >= AGAIN.toNanos();
  }

  /**
   * Sends a request that the Role may not grant, unless a recent refusal is known.
   *
   * @return the response; empty if the right is missing, or if the request returns null
   * @throws KubernetesClientException if the request fails for another reason
   */
  public <T> Optional<T> ask(ApiRight right, Supplier<T> request) {
    if (!isWorthAsking(right)) {
      return Optional.empty();
    }
    try {
      T answer = request.get();
      refusedAt.remove(right);
      reported.remove(right);
      return Optional.ofNullable(answer);
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
        throw e;
      }
      refused(right, e);
      return Optional.empty();
    }
  }

  /** Records that the Role lacks a right. */
  public void refused(ApiRight right) {
    refused(right, right.missing(names(right)));
  }

  /** Records a refused request (403): by the Role, or by a quota or an admission webhook. */
  public void refused(ApiRight right, KubernetesClientException refusal) {
    refused(right, right.refused(names(right), refusal));
  }

  private void refused(ApiRight right, String sentence) {
    refusedAt.put(right, nanoTime.getAsLong());
    if (!sentence.equals(reported.put(right, sentence))) {
      listener.accept(sentence);
    }
  }

  private List<String> names(ApiRight right) {
    return switch (right) {
      case WATCH_ENDPOINTS, GET_SERVICES, DESCRIBE_EVENTS -> services;
      case STATE -> Stream.ofNullable(state).toList();
      default -> List.of();
    };
  }
}
