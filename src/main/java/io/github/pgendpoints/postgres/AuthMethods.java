package io.github.pgendpoints.postgres;

import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.core.AuthMethod;

/**
 * The authentication methods that a server may request, as in libpq's {@code require_auth}. The
 * server chooses the method, so this keeps one outside our cluster from requesting the password.
 *
 * @param allowed a login refuses all other methods before it sends a secret
 */
public record AuthMethods(Set<AuthMethod> allowed) {
  /** All methods. */
  static final AuthMethods ANY = new AuthMethods(EnumSet.allOf(AuthMethod.class));

  /** The methods that send the password in clear text. */
  private static final Set<AuthMethod> CLEAR_TEXT = EnumSet.of(AuthMethod.PASSWORD);

  /** The methods that reveal the password to the server, or enough to guess it or to log in. */
  private static final Set<AuthMethod> REVEALING = EnumSet.of(AuthMethod.PASSWORD, AuthMethod.MD5);

  public AuthMethods {
    allowed = Set.copyOf(allowed);
  }

  /**
   * Parses libpq's syntax: names separated by commas, all or none of them preceded by {@code !}.
   *
   * @throws IllegalArgumentException if the text has another syntax
   */
  public static AuthMethods parse(String text) {
    try {
      return new AuthMethods(AuthMethod.parseRequireAuth(text));
    } catch (SQLException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * Returns the methods that a server with an unverified identity may request.
   *
   * @param configured the methods that PGREQUIREAUTH allows; null if it is not set
   * @param nodesListed whether an operator listed the servers in PG_NODES; otherwise they come from
   *     an annotation, which more people can write
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

  /** Whether no method is allowed. */
  boolean isEmpty() {
    return allowed.isEmpty();
  }

  /** The value of pgjdbc's property; null if the property need not be set. */
  String asProperty() {
    String refused =
        EnumSet.allOf(AuthMethod.class).stream()
            .filter(method -> !allowed.contains(method))
            .map(method -> "!" + method.name().toLowerCase(Locale.ROOT).replace('_', '-'))
            .collect(Collectors.joining(","));
    return refused.isEmpty() ? null : refused;
  }
}
