package io.github.pgendpoints.publish;

import io.github.pgendpoints.alert.FailureMessage;
import java.util.List;
import java.util.Set;

/**
 * The clients of a Service see other addresses than those that were written.
 *
 * @param seen where clients are routed to, in the format of {@link Destination#texts}
 * @param causes one sentence each, with the command that fixes it
 */
public record Mismatch(String service, Set<String> seen, List<String> causes) {
  public Mismatch {
    seen = Set.copyOf(seen);
    causes = List.copyOf(causes);
  }

  /** Returns what is wrong, with the causes as details. */
  public FailureMessage failure() {
    return new FailureMessage(
        "clients of %s see other addresses than those written".formatted(service),
        String.join("; ", causes));
  }
}
