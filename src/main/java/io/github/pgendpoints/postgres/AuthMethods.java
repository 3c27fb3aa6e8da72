package io.github.pgendpoints.postgres;

import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.core.AuthMethod;

/**
 * The ways to authenticate that a server may ask for, as libpq's {@code require_auth}. It is the
 * server that chooses, so this is what keeps one that is not ours from asking for the password.
 *
 * @param allowed the others are refused before anything secret is sent
 */
public record AuthMethods(Set<AuthMethod> allowed) {
  /** Whatever the server asks for. */
  static final AuthMethods ANY = new AuthMethods(EnumSet.allOf(AuthMethod.class));

  /** Those that send the password as it is. */
  private static final Set<AuthMethod> CLEAR_TEXT = EnumSet.of(AuthMethod.PASSWORD);

  /** Those after which a server knows the password, or what it takes to guess it or log in. */
  private static final Set<AuthMethod> REVEALING = EnumSet.of(AuthMethod.PASSWORD, AuthMethod.MD5);

  public AuthMethods {
    allowed = Set.copyOf(allowed);
  }

  /**
   * Reads libpq's spelling: names with commas between, either all or none with {@code !} before it.
   *
   * @throws IllegalArgumentException when it is something else
   */
  public static AuthMethods parse(String text) {
    try {
      return new AuthMethods(AuthMethod.parseRequireAuth(text));
    } catch (SQLException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * What servers may ask for that have not proved who they are.
   *
   * @param configured what PGREQUIREAUTH allows; null when it is not set
   * @param nodesListed whether a person has named the servers, in PG_NODES; else they are known
   *     from an annotation, which more people may write
   */
  static AuthMethods ofUnverified(AuthMethods configured, boolean nodesListed) {
    AuthMethods named = configured == null ? ANY.without(CLEAR_TEXT) : configured;
    return nodesListed ? named : named.without(REVEALING);
  }

  private AuthMethods without(Set<AuthMethod> refused) {
    return new AuthMethods(
        allowed.stream()
            .filter(method -> !refused.contains(method))
            .collect(Collectors.toUnmodifiableSet()));
  }

  /** Whether any way is left. */
  boolean isEmpty() {
    return allowed.isEmpty();
  }

  /** The value of pgjdbc's property; null when it need not be set. */
  String asProperty() {
    String refused =
        EnumSet.allOf(AuthMethod.class).stream()
            .filter(method -> !allowed.contains(method))
            .map(method -> "!" + method.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .collect(Collectors.joining(","));
    return refused.isEmpty() ? null : refused;
  }
}
