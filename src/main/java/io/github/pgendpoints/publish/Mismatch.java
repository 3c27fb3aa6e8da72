package io.github.pgendpoints.publish;

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

  /** One line for people. */
  public String message() {
    return "clients of %s see other addresses than those written: %s"
        .formatted(service, String.join("; ", causes));
  }
}
