package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import java.io.IOException;
import java.net.Socket;
import java.sql.SQLException;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;
import org.postgresql.ssl.PGjdbcHostnameVerifier;
import org.postgresql.ssl.WrappedFactory;

/**
 * A login in progress in the current thread. pgjdbc creates its socket factory and its host name
 * verifier by class name. This class lets them find the login that they belong to.
 */
final class LoginAttempt implements AutoCloseable {
  private static final ThreadLocal<LoginAttempt> CURRENT = new ThreadLocal<>();

  private final String host;
  private final Deadline answer;
  private final LoginPermit.Source<SQLException> permits;
  private LoginPermit permit;
  private SQLException gotNoPermit;
  private Deadline connect;
  private DeadlineSocket socket;
  private boolean nameRefused;

  /**
   * @param host the name in the node list
   * @param answer by when the server must answer
   * @param permits supplies a permit to log in, which only a login to a connected host takes
   */
  LoginAttempt(String host, Deadline answer, LoginPermit.Source<SQLException> permits) {
    this.host = host;
    this.answer = answer;
    this.permits = permits;
    this.connect = answer;
    CURRENT.set(this);
  }

  /** Why the login got no permit; null if it got one or has not requested one yet. */
  SQLException gotNoPermit() {
    return gotNoPermit;
  }

  /** Takes a permit, once, as soon as a socket is connected. */
  private LoginPermit permit() throws IOException {
    if (permit == null) {
      try {
        permit = permits.take();
      } catch (SQLException e) {
        gotNoPermit = e;
        throw new IOException(e);
      }
    }
    return permit;
  }

  /** Sets the deadline of the TCP connections that follow. */
  void connectBy(Deadline deadline) {
    connect = deadline;
  }

  /** Whether the attempt to connect got no answer, not even a refusal. */
  boolean isUnanswered() {
    return socket != null && !socket.isConnected() && connect.isOver();
  }

  /** The socket opened last: sslmode allow and prefer may open two. */
  DeadlineSocket socket() {
    return socket;
  }

  /** Whether the server's certificate is for another name. */
  boolean isNameRefused() {
    return nameRefused;
  }

  @Override
  public void close() {
    CURRENT.remove();
    if (permit != null) {
      permit.close();
    }
  }

  /** Creates sockets that obey the deadlines of the login. */
  public static final class Sockets extends WrappedFactory {
    @Override
    public Socket createSocket() {
      LoginAttempt login = CURRENT.get();
      login.socket = new DeadlineSocket(login.connect, login.answer, login::permit);
      return login.socket;
    }
  }

  /**
   * Verifies host names for sslmode verify-full: checks the name in PG_NODES, although the
   * connection goes to the address that the name resolved to.
   */
  public static final class NodeName implements HostnameVerifier {
    @Override
    public boolean verify(String address, SSLSession session) {
      LoginAttempt login = CURRENT.get();
      login.nameRefused =
          !PGjdbcHostnameVerifier.INSTANCE.verify(asInCertificates(login.host), session);
      return !login.nameRefused;
    }

    /** pgjdbc compares text, and Java writes an IPv6 address in a certificate in its long form. */
    private static String asInCertificates(String host) {
      return Addresses.isAddress(host) ? Addresses.parse(host).getHostAddress() : host;
    }
  }
}
